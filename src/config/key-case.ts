/**
 * The one mapper between recipe files (snake_case, as in verl and TRL) and TypeScript (camelCase). It is purely
 * lexical, so no second list of keys exists anywhere. Values are never touched: a stage id stays as written.
 */
import type { Json } from "../types.ts";

const SNAKE = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** `max_new_tokens` -> `maxNewTokens`. */
export function snakeToCamel(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `maxNewTokens` -> `max_new_tokens`. */
export function camelToSnake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** True when a key is snake_case and survives the round trip; `maxTokens`, `a__b`, `beta_1` and `__proto__` do not. */
export function isRecipeKey(key: string): boolean {
  return SNAKE.test(key) && camelToSnake(snakeToCamel(key)) === key;
}

/** Copy of a plain value with every object key in snake_case; `undefined` members are left out. */
export function toSnakeKeys(value: unknown): Json {
  if (Array.isArray(value)) return value.map(toSnakeKeys);
  if (typeof value !== "object" || value === null) return value as Json;
  const result: Record<string, Json> = {};
  for (const [key, member] of Object.entries(value))
    if (member !== undefined) result[camelToSnake(key)] = toSnakeKeys(member);
  return result;
}
