/**
 * A run on the terminal: one repainted line for the stage at work and one kept line per finished stage; plain,
 * rate-limited lines where output is not a terminal; JSON lines for machines. Shows events, decides nothing.
 */
import type { RunEvent, RunObserver } from "../recipe/run-events.ts";
import type { Json } from "../types.ts";
import {
  createStyle,
  formatCount,
  formatNumber,
  formatSeconds,
  padEnd,
  printable,
  type Style,
  visibleWidth,
  wantsColor,
} from "./style.ts";
import { createThroughput, type Throughput } from "./throughput.ts";

export interface RenderOptions {
  json?: boolean;
  output?: { write(text: string): unknown; isTTY?: boolean; columns?: number };
  /** Milliseconds; replaced in tests. */
  now?: () => number;
  environment?: NodeJS.ProcessEnv;
}

export interface Renderer {
  observe: RunObserver;
  /** Prints a line that stays, whatever is being repainted. */
  line(text: string): void;
  /** Leaves the terminal clean: call before printing anything else. */
  close(): void;
}

type StageEvent = Extract<RunEvent, { event: "stage-start" | "stage-skip" | "stage-end" }>;
type ProgressEvent = Extract<RunEvent, { event: "stage-progress" }>;

const REPAINT_MS = 100;
/** A log file of a long run stays readable at one line per stage and ten seconds. */
const PLAIN_MS = 10_000;
const JSON_MS = 1000;
/** Numbers on a stage's kept line. */
const MAX_NUMBERS = 5;
/** Shown first, in this order, by their short names. */
const FIRST_VALUES = ["reward", "accuracy", "loss", "entropy", "length"];
const ERASE_LINE = "\r\u001b[2K";

/** `reward/mean` -> `reward`, `response_length/mean` -> `length`. */
function shortName(name: string): string {
  return printable(name)
    .replace(/^response_/, "")
    .replace(/\/mean$/, "")
    .replaceAll("_", " ");
}

function orderedValues(values: Record<string, number>): [string, number][] {
  const rank = (name: string): number => {
    const index = FIRST_VALUES.indexOf(shortName(name));
    return index < 0 ? FIRST_VALUES.length : index;
  };
  return Object.entries(values).sort(([a], [b]) => rank(a) - rank(b));
}

function shortNumbers(numbers: Record<string, Json>): string[] {
  return Object.entries(numbers)
    .filter(
      (entry): entry is [string, number | string] =>
        typeof entry[1] === "number" || typeof entry[1] === "string",
    )
    .slice(0, MAX_NUMBERS)
    .map(
      ([name, value]) =>
        `${shortName(name)} ${typeof value === "number" ? formatNumber(value) : printable(value)}`,
    );
}

/** Whole seconds: a remaining time that flickers in its decimals says nothing. */
function formatEta(seconds: number): string {
  return seconds < 60 ? `${Math.ceil(seconds)}s` : formatSeconds(seconds);
}

/** Cuts plain parts so that they fit a width. */
function fitParts(parts: readonly string[], width: number): string {
  let text = "";
  for (const part of parts) {
    const next = text === "" ? part : `${text}  ${part}`;
    if (visibleWidth(next) > width) break;
    text = next;
  }
  return text;
}

/** Creates the renderer that suits the output. */
export function createRenderer(options: RenderOptions = {}): Renderer {
  const {
    json = false,
    output = process.stdout,
    now = () => performance.now(),
    environment = process.env,
  } = options;
  if (json) return createJsonRenderer(output, now);
  const repaints = output.isTTY === true && environment["TERM"] !== "dumb";
  const style = createStyle(wantsColor(output.isTTY === true, environment));
  return createTextRenderer(output, now, style, repaints);
}

function createJsonRenderer(output: { write(text: string): unknown }, now: () => number): Renderer {
  let lastMs = Number.NEGATIVE_INFINITY;
  let throughput = createThroughput();
  return {
    observe(event) {
      if (event.event === "stage-start") throughput = createThroughput();
      // Absent until there is something to divide by.
      const pace = event.event === "stage-progress" ? throughput.update(event) : {};
      if (event.event === "stage-progress" && event.done < event.steps) {
        if (now() - lastMs < JSON_MS) return;
        lastMs = now();
      }
      output.write(`${JSON.stringify({ time: new Date().toISOString(), ...event, ...pace })}\n`);
    },
    line: () => {},
    close: () => {},
  };
}

function createTextRenderer(
  output: { write(text: string): unknown; columns?: number },
  now: () => number,
  style: Style,
  repaints: boolean,
): Renderer {
  let painted = false;
  let lastMs = Number.NEGATIVE_INFINITY;
  let idWidth = 8;
  let kindWidth = 0;
  let stage: StageEvent | undefined;
  let throughput: Throughput = createThroughput();

  const erase = (): void => {
    if (painted) output.write(ERASE_LINE);
    painted = false;
  };
  const line = (text: string): void => {
    erase();
    output.write(`${text.trimEnd()}\n`);
  };
  const position = (event: StageEvent): string =>
    `${event.index + 1}/${event.total}`.padStart(String(event.total).length * 2 + 1);
  const label = (event: StageEvent): string =>
    `${position(event)} ${padEnd(style.bold(event.stage), idWidth)} ${style.dim(padEnd(event.kind, kindWidth))}`;
  const progressParts = (event: ProgressEvent): string[] => {
    const { tokensPerSecond, etaSeconds } = throughput.update(event);
    const parts = [`step ${event.done}/${event.steps}`];
    for (const [name, value] of orderedValues(event.values))
      parts.push(`${shortName(name)} ${formatNumber(value)}`);
    const speed = tokensPerSecond === undefined ? [] : [`${formatCount(tokensPerSecond)} tok/s`];
    const rest =
      etaSeconds === undefined || event.done >= event.steps ? [] : [`ETA ${formatEta(etaSeconds)}`];
    // Speed and ETA come before the third value, so that 80 columns keep them.
    return [...parts.slice(0, 3), ...speed, ...rest, ...parts.slice(3)];
  };

  const paint = (event: StageEvent, parts: readonly string[]): void => {
    // Without the kind, which stands on the kept line: the width is needed for numbers.
    const head = `${style.cyan(">")} ${position(event)} ${padEnd(style.bold(event.stage), idWidth)}  `;
    const width = (output.columns || 80) - 1;
    output.write(ERASE_LINE + head + fitParts(parts, Math.max(0, width - visibleWidth(head))));
    painted = true;
  };

  const observe: RunObserver = (event) => {
    switch (event.event) {
      case "run-start": {
        idWidth = Math.min(24, Math.max(...event.stages.map((planned) => planned.id.length)));
        kindWidth = Math.min(20, Math.max(...event.stages.map((planned) => planned.kind.length)));
        const engine = event.engine as { kind?: string };
        line(
          `${style.bold(event.name)}  seed ${event.seed}  ${engine.kind ?? ""}  ${style.dim(printable(event.runFolder))}`,
        );
        for (const planned of event.stages)
          if (planned.state === "stale")
            line(
              style.yellow(
                `  ${planned.id} is stale (${printable(planned.reason ?? "")}) and runs again${planned.keepsParts ? ", except parts the change does not touch" : ""}`,
              ),
            );
        break;
      }
      case "stage-skip":
        line(
          `${style.dim("-")} ${label(event)}  ${style.dim(["done before", ...shortNumbers(event.numbers)].join("  "))}`,
        );
        break;
      case "stage-start":
        stage = event;
        throughput = createThroughput();
        lastMs = repaints ? Number.NEGATIVE_INFINITY : now();
        if (event.attempt > 1 && repaints)
          line(style.dim(`  ${event.stage} continues, attempt ${event.attempt}`));
        if (repaints) paint(event, ["starting"]);
        else line(`> ${label(event)}${event.attempt > 1 ? `  attempt ${event.attempt}` : ""}`);
        break;
      case "stage-progress": {
        const parts = progressParts(event);
        if (!stage || now() - lastMs < (repaints ? REPAINT_MS : PLAIN_MS)) return;
        lastMs = now();
        if (repaints) paint(stage, parts);
        else line(`  ${label(stage)}  ${parts.join("  ")}`);
        break;
      }
      case "stage-note":
        line(style.dim(`  ${printable(event.stage)}: ${printable(event.text)}`));
        break;
      case "stage-end": {
        const speed =
          event.tokens > 0 ? [`${formatCount(event.tokens / Math.max(event.seconds, 1e-3))} tok/s`] : [];
        const parts = [formatSeconds(event.seconds), ...speed, ...shortNumbers(event.numbers)];
        line(`${style.green(repaints ? "✓" : "+")} ${label(event)}  ${parts.join("  ")}`);
        stage = undefined;
        break;
      }
      case "run-end": {
        const before = event.skipped > 0 ? `, ${event.skipped} done before` : "";
        line(
          `${style.bold("finished")} in ${formatSeconds(event.seconds)}: ${event.ran} stages run${before}`,
        );
        break;
      }
    }
  };
  return { observe, line, close: erase };
}
