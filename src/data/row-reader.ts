/** Reads the columns of one row by name, remembers which were read, and says what is wrong with their place. */
import { DataError } from "../errors.ts";
import type { Json } from "../types.ts";
import { type Row, setField, toJson } from "./row-values.ts";

/** Reads one row. Keeps track of the columns used, so that the others can be kept. */
export class RowReader {
  readonly #row: Row;
  readonly #where: string;
  readonly #used = new Set<string>();

  constructor(row: Row, where: string) {
    this.#row = row;
    this.#where = where;
  }

  fail(message: string, hint?: string): DataError {
    return new DataError(`${this.#where}: ${message}`, { hint, details: { where: this.#where } });
  }

  /** No column of these names: says which there are, and how to name one. */
  missing(what: "question" | "answer", named: string | undefined, usual: readonly string[]): DataError {
    const names = Object.keys(this.#row).map((name) => name.slice(0, 40));
    const there =
      names.length === 0 ? "none" : names.slice(0, 12).join(", ") + (names.length > 12 ? ", …" : "");
    const role = what === "question" ? "prompt" : "answer";
    return this.fail(
      `no ${what}: expected a column ${named ?? usual.join(", ")}, got ${there}`,
      `name it: --column ${role}=NAME on the command line, columns: {${role}: NAME} in a recipe`,
    );
  }

  #at(name: string): unknown {
    if (Object.hasOwn(this.#row, name)) return this.#row[name];
    let value: unknown = this.#row;
    for (const part of name.split(".")) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
      value = (value as Row)[part];
    }
    return value;
  }

  /** The value of the first of these columns that is there, and its name. */
  first(names: readonly string[]): { name: string; value: unknown } | null {
    for (const name of names) {
      const value = this.#at(name);
      if (value === null || value === undefined) continue;
      this.#used.add(name);
      return { name, value };
    }
    return null;
  }

  /** Columns not asked for; an empty one says nothing, and a table has every column in every row. */
  rest(): Record<string, Json> {
    const json: Record<string, Json> = {};
    for (const name of Object.keys(this.#row)) {
      const value = this.#row[name];
      if (value !== undefined && value !== null && !this.#used.has(name)) setField(json, name, toJson(value));
    }
    return json;
  }
}
