/**
 * Forms and values of nodes, kept with them: rules look at the same nodes many times, and nodes never change.
 */
import type { Node } from "../ast.ts";
import { evaluateAt as evaluateFresh, formOf as formFresh } from "../form.ts";
import type { Value } from "../value.ts";

/** Rules look at the same nodes many times; forms and values of a node never change, so they are kept with it. */
const knownForms = new WeakMap<Node, string>();
const knownValues: readonly [WeakMap<Node, Value | { value: null }>, WeakMap<Node, Value | { value: null }>] =
  [new WeakMap(), new WeakMap()];
const NOTHING = { value: null } as const;
export const KEEP = { equationMode: "keep" } as const;
export function formOf(one: Node, options: typeof KEEP): string {
  let form = knownForms.get(one);
  if (form === undefined) {
    form = formFresh(one, options);
    knownForms.set(one, form);
  }
  return form;
}

export function evaluateAt(one: Node, point: 0 | 1): Value | null {
  const known = knownValues[point].get(one);
  if (known !== undefined) return "value" in known ? null : known;
  const value = evaluateFresh(one, point);
  knownValues[point].set(one, value ?? NOTHING);
  return value;
}
