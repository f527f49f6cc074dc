/** The parser of server-sent events: every way of cutting and ending lines gives the same events. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createEventParser } from "./event-stream.ts";

function parse(pieces: readonly Uint8Array[]): string[] {
  const events: string[] = [];
  const parser = createEventParser((data) => events.push(data));
  for (const piece of pieces) parser.push(piece);
  return events;
}

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

test("events survive every cut, line end and comment", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: "grapheme" }).map((text) => JSON.stringify({ text })),
        { maxLength: 8 },
      ),
      fc.constantFrom("\n", "\r\n", "\r"),
      fc.boolean(),
      fc.array(fc.nat(4000), { maxLength: 30 }),
      (events, lineEnd, comments, places) => {
        const text = events
          .map(
            (data) =>
              `${comments ? `: keep-alive${lineEnd}` : ""}event: x${lineEnd}data: ${data}${lineEnd}${lineEnd}`,
          )
          .join("");
        expect(parse(cut(Buffer.from(text, "utf8"), places))).toEqual(events);
      },
    ),
    { seed: 1 },
  );
});

test("lines of one event are joined; an event that has not ended is none", () => {
  const text = "data: a\ndata:b\ndata\nid: 7\nretry: 10\n\ndatabase: c\n\ndata: d\n";
  expect(parse([Buffer.from(text)])).toEqual(["a\nb\n"]);
});

test("an event without end is refused before it fills the memory", () => {
  const parser = createEventParser(() => {});
  const piece = Buffer.alloc(2 ** 20, 120);
  expect(() => {
    for (let i = 0; i < 40; i++) parser.push(piece);
  }).toThrow(/events of at most/);
});
