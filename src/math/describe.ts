/**
 * How an answer is read: its tree as text, its canonical form and key. For people; nothing decides by it.
 */
import type { Node } from "./ast.ts";
import { isOpaque } from "./ast.ts";
import { canonicalForm, canonicalKey } from "./key.ts";
import { parse } from "./parser.ts";
import { unwrap } from "./rules/candidate.ts";

export interface Description {
  /** Source without display wrappers. */
  text: string;
  /** The expression tree, one line per node, children indented. */
  tree: string[];
  form: string;
  key: string;
  /** Parts of it are not understood and compared as text. */
  opaque: boolean;
}

/** Lines of a tree; deeper or longer trees are cut. */
const MAX_LINES = 80;

function label(one: Node): string {
  return one.text === "" ? one.op : `${one.op} ${one.text}`;
}

function lines(one: Node, depth: number, into: string[]): void {
  if (into.length >= MAX_LINES) return;
  into.push(`${"  ".repeat(depth)}${label(one)}`);
  for (const arg of one.args) lines(arg, depth + 1, into);
}

export function describeAnswer(source: string): Description {
  const text = unwrap(source);
  const { root } = parse(text);
  const tree: string[] = [];
  lines(root, 0, tree);
  return { text, tree, form: canonicalForm(text), key: canonicalKey(text), opaque: isOpaque(root) };
}
