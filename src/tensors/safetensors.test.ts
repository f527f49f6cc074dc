import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../errors.ts";
import { DTYPE_BYTES, type DType, fromFloat32 } from "./dtype.ts";
import { openSafetensors, readSafetensorsHeader, readTensors, tensorToFloat32 } from "./safetensors.ts";
import { elementCount, type Tensor } from "./safetensors-header.ts";
import { writeSafetensors, writeSafetensorsPieces } from "./safetensors-write.ts";
import { scratchFolder } from "./testing.ts";

fc.configureGlobal({ seed: 1 });

/** A file from a header object (or raw text) and `dataBytes` zeros, as a stranger may have made it. */
function handMade(header: unknown, dataBytes = 0, declaredLength?: bigint): string {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header), "utf8");
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(declaredLength ?? BigInt(text.length));
  const path = join(scratchFolder(), "x.safetensors");
  writeFileSync(path, Buffer.concat([prefix, text, Buffer.alloc(dataBytes)]));
  return path;
}

const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("round trip", () => {
  test("any tensors come back with name, type, shape, bytes and metadata", () => {
    const folder = scratchFolder();
    const dtypes = Object.keys(DTYPE_BYTES) as DType[];
    const tensor = fc.record({
      name: fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name !== "__metadata__"),
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(tensor, { selector: (item) => item.name, maxLength: 6 }),
        fc.dictionary(
          fc.string({ minLength: 1, maxLength: 6 }).filter((k) => k !== "__proto__"),
          fc.string(),
          {
            maxKeys: 3,
          },
        ),
        (specifications, metadata) => {
          const path = join(folder, "t.safetensors");
          const tensors = specifications.map((item, index): Tensor => {
            const data = new Uint8Array(elementCount(item.shape) * DTYPE_BYTES[item.dtype]);
            for (let i = 0; i < data.length; i++) data[i] = (i * 31 + index * 7) & 255;
            return { ...item, data };
          });
          writeSafetensors(path, tensors, metadata);
          const header = readSafetensorsHeader(path);
          expect(header.metadata).toEqual({ ...metadata });
          const back = readTensors(path);
          expect(new Set(back.keys())).toEqual(new Set(tensors.map((item) => item.name)));
          for (const item of tensors) expect(back.get(item.name)).toEqual(item);
          // Wide elements come first and the data start on a multiple of 8: every tensor is aligned.
          for (const item of header.tensors.values()) expect(item.offset % DTYPE_BYTES[item.dtype]).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("equal tensors give equal files", () => {
    const folder = scratchFolder();
    const tensors: Tensor[] = [
      { name: "w", dtype: "F32", shape: [2], data: fromFloat32("F32", Float32Array.of(1, 2)) },
    ];
    writeSafetensors(join(folder, "a"), tensors);
    writeSafetensors(join(folder, "b"), tensors);
    expect(readFileSync(join(folder, "a"))).toEqual(readFileSync(join(folder, "b")));
    expect(readSafetensorsHeader(join(folder, "a")).metadata).toEqual({ format: "pt" });
  });

  test("selected tensors and pieces of them", () => {
    const path = join(scratchFolder(), "t.safetensors");
    const values = Float32Array.of(1, 2, 3, 4);
    writeSafetensors(path, [
      { name: "a", dtype: "F32", shape: [4], data: fromFloat32("F32", values) },
      { name: "b", dtype: "BF16", shape: [2, 2], data: fromFloat32("BF16", values) },
    ]);
    const some = readTensors(path, ["b"]);
    expect([...some.keys()]).toEqual(["b"]);
    expect([...tensorToFloat32(some.get("b")!)]).toEqual([1, 2, 3, 4]);
    expect(() => readTensors(path, ["c"])).toThrow('no tensor "c"');
    const reader = openSafetensors(path);
    const piece = new Uint8Array(8);
    reader.read(reader.header.tensors.get("a")!, piece, 8);
    expect([...new Float32Array(piece.buffer)]).toEqual([3, 4]);
    expect(() => reader.read(reader.header.tensors.get("a")!, piece, 12)).toThrow(RangeError);
    reader.close();
  });
});

describe("hostile and damaged files are one CheckpointError naming the file", () => {
  const four = entry("F32", [1], 0, 4);
  const cases: [string, () => string, string][] = [
    ["missing", () => join(scratchFolder(), "none.safetensors"), "no such file"],
    ["empty", () => handMadeBytes(Buffer.alloc(0)), "expected at least 10 bytes, got 0"],
    ["header length of 2^60", () => handMade("{}", 0, 2n ** 60n), "header length: expected"],
    [
      "header length past the end",
      () => handMade("{}", 0, 4000n),
      "header ends at byte 4008, the file at 10",
    ],
    ["not JSON", () => handMade("{nope"), "header is not JSON"],
    ["not UTF-8", () => handMadeBytes(Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe])), "not UTF-8"],
    ["a list", () => handMade([]), "expected a JSON object"],
    ["entry is text", () => handMade({ w: "x" }), 'tensor "w": expected an object'],
    ["unknown type", () => handMade({ w: entry("F4", [1], 0, 4) }, 4), 'tensor "w": dtype'],
    ["type named like a method", () => handMade({ w: entry("toString", [1], 0, 4) }, 4), "dtype"],
    ["negative dimension", () => handMade({ w: entry("F32", [-1], 0, 4) }, 4), "dimensions of 0..2^32"],
    ["fractional dimension", () => handMade({ w: entry("F32", [0.5], 0, 2) }, 2), "dimensions of 0..2^32"],
    ["too many dimensions", () => handMade({ w: entry("F32", Array(9).fill(1), 0, 4) }, 4), "at most 8"],
    [
      "product beyond 2^53",
      () => handMade({ w: entry("F32", [2 ** 32, 2 ** 32], 0, 4) }, 4),
      "too large to address",
    ],
    ["offsets are text", () => handMade({ w: entry("F32", [1], "0", "4") }, 4), "data_offsets"],
    ["offsets negative", () => handMade({ w: entry("F32", [1], -4, 0) }, 4), "data_offsets"],
    [
      "size and shape disagree",
      () => handMade({ w: entry("F32", [2], 0, 4) }, 4),
      "expected 8 bytes for F32 [2]",
    ],
    ["truncated", () => handMade({ w: four }, 3), "the file at"],
    ["overlap", () => handMade({ a: four, b: entry("F32", [1], 2, 6) }, 6), "overlaps the tensor before it"],
    ["gap", () => handMade({ a: four, b: entry("F32", [1], 8, 12) }, 12), "belong to no tensor"],
    ["bytes after the last tensor", () => handMade({ a: four }, 40), "tensors end at byte"],
    ["metadata not text", () => handMade({ __metadata__: { a: 1 } }), "__metadata__.a: expected a string"],
  ];
  function handMadeBytes(bytes: Buffer): string {
    const path = join(scratchFolder(), "x.safetensors");
    writeFileSync(path, bytes);
    return path;
  }
  test.each(cases)("%s", (_, make, message) => {
    const path = make();
    let error: unknown;
    try {
      readTensors(path);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toContain(path);
    expect((error as Error).message).not.toContain("\n");
  });

  test("a flipped byte in the header never crashes with anything else", () => {
    const folder = scratchFolder();
    const good = join(folder, "good");
    const data = fromFloat32("F32", Float32Array.of(1, 2, 3));
    writeSafetensors(good, [{ name: "w", dtype: "F32", shape: [3], data }]);
    const bytes = readFileSync(good);
    const bad = join(folder, "bad");
    let refused = 0;
    for (let i = 0; i < bytes.length - 12; i++)
      for (const flip of [1, 32, 128]) {
        const copy = Buffer.from(bytes);
        copy[i]! ^= flip;
        writeFileSync(bad, copy);
        try {
          readTensors(bad);
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
          refused++;
        }
      }
    expect(refused).toBeGreaterThan(bytes.length);
  });
});

describe("writing", () => {
  const specification = { name: "w", dtype: "F32", shape: [2] } as const;

  test("pieces that do not add up to the shape are refused and nothing stays", () => {
    const path = join(scratchFolder(), "t.safetensors");
    expect(() => writeSafetensorsPieces(path, [specification], () => [new Uint8Array(4)])).toThrow(
      'tensor "w": expected 8 bytes, got 4',
    );
    expect(existsSync(path) || existsSync(`${path}.partial`)).toBe(false);
  });

  test("one buffer may carry every piece", () => {
    const path = join(scratchFolder(), "t.safetensors");
    const buffer = new Uint8Array(4);
    writeSafetensorsPieces(path, [specification], function* () {
      for (const value of [1, 2]) {
        buffer.set(fromFloat32("F32", Float32Array.of(value)));
        yield buffer;
      }
    });
    expect([...tensorToFloat32(readTensors(path).get("w")!)]).toEqual([1, 2]);
  });

  test("repeated and reserved names are misuse", () => {
    const path = join(scratchFolder(), "t.safetensors");
    expect(() => writeSafetensorsPieces(path, [specification, specification], () => [])).toThrow(TypeError);
    expect(() =>
      writeSafetensorsPieces(path, [{ ...specification, name: "__metadata__" }], () => []),
    ).toThrow(TypeError);
  });
});
