/** The one place that shows an error to the user and decides the exit code. */
import { EXIT_CODE, PolarisError } from "../errors.ts";
import { createStyle, printable, wantsColor } from "./style.ts";

export interface FailureOptions {
  /** Print a JSON object on standard output instead of lines on standard error. */
  json?: boolean;
  /** Print stack traces. */
  verbose?: boolean;
  stdout?: { write(text: string): unknown };
  stderr?: { write(text: string): unknown; isTTY?: boolean };
}

/** Prints one line and its hint, and returns the exit code of the error's kind. */
export function reportFailure(error: unknown, options: FailureOptions = {}): number {
  const { json = false, verbose = false, stdout = process.stdout, stderr = process.stderr } = options;
  const known = error instanceof PolarisError;
  const message = printable(error instanceof Error ? error.message : String(error));
  const exitCode = known ? error.exitCode : EXIT_CODE.failed;
  const hint = known ? error.hint : "this is a bug; run again with -v for the stack trace";
  if (json) {
    const shown = { event: "error", code: known ? error.code : "internal", message, hint, exitCode };
    stdout.write(`${JSON.stringify(known ? { ...shown, details: error.details } : shown)}\n`);
  } else {
    const style = createStyle(wantsColor(stderr.isTTY === true));
    const [line = ""] = message.split("\n");
    // An interrupt says itself that it is one.
    const shown =
      exitCode === EXIT_CODE.interrupted
        ? style.yellow(line)
        : `${style.red(known ? "error:" : "internal error:")} ${line}`;
    stderr.write(`${shown}\n`);
    if (hint) stderr.write(`${style.dim("hint:")} ${printable(hint)}\n`);
  }
  if (verbose && error instanceof Error) stderr.write(`${printable(stackOf(error))}\n`);
  return exitCode;
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}
