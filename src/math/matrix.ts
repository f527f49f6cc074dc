/**
 * Sums, differences and products of matrices with entries that have values, so that a computed matrix and its
 * expression share a form. Powers and inverses stay structural.
 */
import type { Node } from "./ast.ts";
import { add, mul, neg, type Value } from "./value.ts";

/** Entries of a product are sums of products: 20 by 20 is 8,000 multiplications, about a millisecond. */
const MAX_ENTRIES = 100;

export interface MatrixValue {
  rows: number;
  columns: number;
  entries: Value[];
}

type Operand = MatrixValue | Value;

function isMatrix(operand: Operand): operand is MatrixValue {
  return "entries" in operand;
}

function multiply(left: Operand, right: Operand): Operand | null {
  if (!isMatrix(left) && !isMatrix(right)) return mul(left, right);
  if (!isMatrix(left)) return scale(right as MatrixValue, left);
  if (!isMatrix(right)) return scale(left, right);
  if (left.columns !== right.rows || left.rows * right.columns > MAX_ENTRIES || left.columns > 10)
    return null;
  const entries: Value[] = [];
  for (let i = 0; i < left.rows; i++)
    for (let j = 0; j < right.columns; j++) {
      let total = mul(left.entries[i * left.columns] as Value, right.entries[j] as Value);
      for (let k = 1; k < left.columns; k++)
        total = add(
          total,
          mul(left.entries[i * left.columns + k] as Value, right.entries[k * right.columns + j] as Value),
        );
      entries.push(total);
    }
  return { rows: left.rows, columns: right.columns, entries };
}

function scale(matrix: MatrixValue, by: Value): MatrixValue {
  return { ...matrix, entries: matrix.entries.map((entry) => mul(entry, by)) };
}

/** The matrix an expression amounts to, or null when it is not one or has parts without a value. */
export function matrixValues(one: Node, evaluate: (part: Node) => Value | null): MatrixValue | null {
  const visit = (part: Node): Operand | null => {
    switch (part.op) {
      case "matrix": {
        const [rows, columns] = part.text.split(",").map(Number) as [number, number];
        if (part.args.length > MAX_ENTRIES) return null;
        const entries = part.args.map(evaluate);
        return entries.every((entry) => entry !== null)
          ? { rows, columns, entries: entries as Value[] }
          : null;
      }
      case "neg": {
        const inner = visit(part.args[0] as Node);
        if (inner === null) return null;
        return isMatrix(inner) ? { ...inner, entries: inner.entries.map(neg) } : neg(inner);
      }
      case "mul": {
        let total: Operand | null = visit(part.args[0] as Node);
        for (const factor of part.args.slice(1)) {
          const next = visit(factor);
          total = total === null || next === null ? null : multiply(total, next);
        }
        return total;
      }
      case "add": {
        let total: Operand | null = visit(part.args[0] as Node);
        for (const term of part.args.slice(1)) {
          const next = visit(term);
          if (total === null || next === null || !isMatrix(total) || !isMatrix(next)) return null;
          if (total.rows !== next.rows || total.columns !== next.columns) return null;
          const right = next.entries;
          total = { ...total, entries: total.entries.map((entry, i) => add(entry, right[i] as Value)) };
        }
        return total;
      }
      case "function":
        return part.text === "det" ? evaluate(part) : null;
      default:
        return evaluate(part);
    }
  };
  const result = visit(one);
  return result !== null && isMatrix(result) ? result : null;
}
