/** placeholder */
export function compatEqual(_gold: string, _answer: string): string | null {
  return null;
}
