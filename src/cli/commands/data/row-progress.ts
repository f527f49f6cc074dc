/** How far a long data command is: a line on a terminal that is written over, nothing where output goes to a file. */
import { formatCount } from "../../style.ts";

/** Rows between two lines: some ten a second. */
const EVERY_ROWS = 5000;

/** Passes rows on and counts them on the terminal. */
export async function* withProgress<Row>(
  rows: AsyncIterable<Row>,
  output: { write(text: string): unknown; isTTY?: boolean } = process.stderr,
): AsyncGenerator<Row> {
  let count = 0;
  let shown = false;
  try {
    for await (const row of rows) {
      if (++count % EVERY_ROWS === 0 && output.isTTY === true) {
        output.write(`\r${formatCount(count)} rows read`);
        shown = true;
      }
      yield row;
    }
  } finally {
    if (shown) output.write("\r\u001b[K");
  }
}
