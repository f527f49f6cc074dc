/**
 * CSV and TSV as rows of text, in order, in the memory of one row. The first line names the columns; a field in quotes
 * may hold separators, line ends and doubled quotes; an empty field is a missing one. Everything is text: what a number
 * is stays for the reader to say, because 007 is an answer too.
 * Source: RFC 4180; a tab separates fields in `.tsv`.
 */
import { DataError } from "../errors.ts";
import { MAX_LINE_BYTES, openPieces, readError } from "./jsonl.ts";

/** Columns of a table: a wider one is a matrix, not problems. */
const MAX_COLUMNS = 10_000;

/** One row. */
export interface CsvRow {
  value: Record<string, string>;
  /** `file:line`, where the row begins. */
  where: string;
}

/** Text of a file piece by piece, whole characters. @throws {TypeError} when it is not UTF-8 */
async function* decode(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const piece of openPieces(path)) yield decoder.decode(piece, { stream: true });
  yield decoder.decode();
}

/** Records as lists of fields. */
async function* readRecords(
  path: string,
  separator: string,
): AsyncGenerator<{ fields: string[]; line: number }> {
  const special = separator === "\t" ? /["\t\r\n]/g : /[",\r\n]/g;
  let fields: string[] = [];
  let field = "";
  let characters = 0;
  let line = 1;
  let first = 1;
  /** In quotes; after the quote that may end them or be doubled; after a carriage return. */
  let state: "plain" | "quoted" | "quote" | "return" = "plain";
  const fail = (problem: string): DataError =>
    new DataError(`${path}:${first}: ${problem}`, { details: { file: path, line: first } });
  const add = (text: string): void => {
    characters += text.length;
    if (characters > MAX_LINE_BYTES) throw fail(`expected a row of at most ${MAX_LINE_BYTES} characters`);
    field += text;
  };
  const endField = (): void => {
    if (fields.length >= MAX_COLUMNS) throw fail(`expected at most ${MAX_COLUMNS} columns`);
    fields.push(field);
    field = "";
  };
  const endRecord = (): { fields: string[]; line: number } => {
    endField();
    const record = { fields, line: first };
    fields = [];
    characters = 0;
    first = line;
    return record;
  };
  for await (const text of decode(path)) {
    let i = 0;
    while (i < text.length) {
      const char = text[i]!;
      if (state === "return") {
        state = "plain";
        if (char === "\n") {
          i++;
          continue;
        }
      }
      if (state === "quoted") {
        const end = text.indexOf('"', i);
        const inner = text.slice(i, end < 0 ? text.length : end);
        add(inner);
        for (let at = inner.indexOf("\n"); at >= 0; at = inner.indexOf("\n", at + 1)) line++;
        if (end >= 0) state = "quote";
        i = end < 0 ? text.length : end + 1;
        continue;
      }
      if (state === "quote" && char === '"') {
        add('"');
        state = "quoted";
        i++;
        continue;
      }
      state = "plain";
      if (char === '"' && field === "") {
        state = "quoted";
        i++;
      } else if (char === separator) {
        endField();
        i++;
      } else if (char === "\n" || char === "\r") {
        line++;
        yield endRecord();
        if (char === "\r") state = "return";
        i++;
      } else {
        special.lastIndex = i + 1;
        const next = special.exec(text)?.index ?? text.length;
        add(text.slice(i, next));
        i = next;
      }
    }
  }
  if (state === "quoted") throw fail("the file ends within quotes");
  if (field !== "" || fields.length > 0) yield endRecord();
}

/**
 * Reads a table row by row; unpacks a file whose name ends in `.gz`. Blank lines are skipped.
 * @throws {DataError} when the file is missing, unreadable, not UTF-8, has no usable heading, a row has more fields than
 * the heading, or a cap is exceeded
 */
export async function* readCsv(path: string): AsyncGenerator<CsvRow> {
  const separator = /\.tsv(\.gz)?$/i.test(path) ? "\t" : ",";
  let names: string[] | null = null;
  try {
    for await (const { fields, line } of readRecords(path, separator)) {
      if (fields.length === 1 && fields[0] === "") continue;
      const where = `${path}:${line}`;
      if (names === null) {
        names = fields.map((name) => name.trim());
        const repeated = names.find((name, i) => name !== "" && names!.indexOf(name) !== i);
        if (repeated !== undefined)
          throw new DataError(`${where}: column ${repeated.slice(0, 60)} is there twice`);
        continue;
      }
      if (fields.length > names.length)
        throw new DataError(`${where}: expected at most ${names.length} fields, got ${fields.length}`, {
          hint: "a field that holds the separator or a quote has to stand in quotes",
        });
      const filled = fields.flatMap((field, i) =>
        field === "" || names![i] === "" ? [] : [[names![i]!, field] as const],
      );
      yield { value: Object.fromEntries(filled), where };
    }
  } catch (cause) {
    if (
      cause instanceof TypeError &&
      (cause as { code?: string }).code === "ERR_ENCODING_INVALID_ENCODED_DATA"
    )
      throw new DataError(`${path}: not UTF-8`, { cause, details: { file: path } });
    throw readError(path, cause);
  }
}
