/** Values of a row as JSON: what Parquet, CSV and JSON readers give becomes one kind of value. */
import type { Json } from "../types.ts";

/** A parsed row, of unknown columns. */
export type Row = Record<string, unknown>;

/** JSON form of a value read from any file: 64-bit integers become numbers where exact, otherwise text. */
export function toJson(value: unknown): Json {
  if (typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "object") {
    const json: Record<string, Json> = {};
    for (const key of Object.keys(value)) {
      const item = (value as Row)[key];
      if (item !== undefined) setField(json, key, toJson(item));
    }
    return json;
  }
  return value as Json;
}

/** Sets a field; one called `__proto__` too, which an assignment would not make. */
export function setField(target: Record<string, Json>, key: string, value: Json): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}

export function isObject(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
