/** What a data command left out, on the terminal: a line per reason that applied with its first cases, then the sums. */
import type { DropsFile } from "../../../recipe/result-files.ts";
import { formatTable } from "../../style.ts";

/** Reasons about other rows or files: which ones is what a reader asks next. */
const SHOWN = ["invalid_row", "contradicting_answer", "contaminated"];
const MAX_SHOWN = 3;

/** Lines of the table. */
export function dropsLines({ unit, total, kept, reasons }: DropsFile): string[] {
  const applied = reasons.filter(({ count }) => count > 0);
  return [
    ...formatTable(applied.map(({ reason, count, meaning }) => [String(count), reason, meaning])),
    ...applied
      .filter(({ reason }) => SHOWN.includes(reason))
      .flatMap(({ reason, count, examples }) => {
        const shown = examples.slice(0, MAX_SHOWN);
        const more = count - shown.length;
        return [
          `${reason}:`,
          ...shown.map(({ id, detail }) => `  ${id === "" ? "" : `${id}: `}${detail}`),
          ...(more > 0
            ? [`  and ${more} more; --dropped FILE writes all, --drops FILE counts and examples`]
            : []),
        ];
      }),
    `${kept} of ${total} ${unit} kept`,
  ];
}
