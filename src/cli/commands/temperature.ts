/**
 * `polaris temperature`: zones and the temperature to train at, decided again from stored curves without sampling. Takes
 * the sweep.json of a temperature_sweep stage, or bare curves. Source: recipe A4, D15-D18.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { writeFileAtomic } from "../../data/atomic.ts";
import { readProblems } from "../../data/problems.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { type CurvePoint, decideTemperature } from "../../recipe/temperature/decide.ts";
import { differingConditions } from "../../recipe/temperature/describe.ts";
import { formatSweep } from "../../recipe/temperature/format-sweep.ts";
import { curvesOfFile, type ReadCurves, readCurves } from "../../recipe/temperature/read-sweep.ts";
import type {
  SweepConditions,
  SweepTarget,
  TemperatureDecision,
} from "../../recipe/temperature/sweep-file.ts";
import { sweepFromResponses } from "../../recipe/temperature/sweep-from-responses.ts";
import { share, wholeNumber } from "../number-options.ts";
import { temperatureText } from "../temperature-text.ts";

interface TemperatureOptions {
  robustTolerance?: number;
  explorationShare?: number;
  match?: string;
  from?: number;
  rule?: SweepTarget["rule"];
  initial?: boolean;
  responses?: boolean;
  problems?: string;
  unit: SweepConditions["unit"];
  ngram: number;
  out?: string;
  json?: boolean;
}

/** Tolerances of the recipe, where neither the file nor an option says otherwise. */
const DEFAULTS = { robustTolerance: 0.008, explorationShare: 0.8 };

function parseTemperature(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 10))
    throw new InvalidArgumentError("Expected a temperature from 0 to 10.");
  return value;
}

/** The target an option names: a diversity, or a file whose policy at its chosen temperature is to be matched. */
function matchTarget(curves: ReadCurves, path: string, options: TemperatureOptions): SweepTarget {
  const match = options.match as string;
  const rule = options.rule ?? "smallest";
  if (/^[\d.]+$/.test(match)) {
    const diversity = Number(match);
    if (!(diversity >= 0 && diversity <= 1))
      throw new ConfigError(`--match: expected a diversity from 0 to 1 or a sweep file, got ${match}`, {
        hint:
          diversity <= 100 ? `figures show it times 100: --match ${diversity / 100}` : "name a sweep.json",
      });
    return { diversity, rule, of: null, minTemperature: options.from ?? 0, startZone: null };
  }
  const other = readCurves(match);
  const differing =
    curves.file === null || other.file === null
      ? []
      : differingConditions(curves.file.conditions, other.file.conditions);
  if (differing.length > 0)
    throw new ConfigError(`${path} and ${match} were drawn differently: ${differing.join("; ")}`, {
      hint: "diversity can only be matched among sweeps of equal problems, samples, limits and prompt",
    });
  const { temperature, diversity, zones } =
    other.file?.decision ?? decide(other.points, match, { ...DEFAULTS, target: null });
  if (diversity === null)
    throw new DataError(`${match}: temperature ${temperature}: expected a diversity, got none`);
  const minTemperature = options.from ?? temperature;
  const startZone = zones.points.find((point) => point.temperature === minTemperature)?.zone ?? null;
  return { diversity, rule, of: match, minTemperature, startZone };
}

/** @throws {DataError} when the curves do not allow the decision */
function decide(
  points: readonly CurvePoint[],
  path: string,
  rules: Parameters<typeof decideTemperature>[1],
): TemperatureDecision {
  try {
    return decideTemperature(points, rules);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DataError(`${path}: ${cause.message}`, { cause });
  }
}

/** What is matched: what the options say, else what the file's own stage matched. */
function targetOf(curves: ReadCurves, path: string, options: TemperatureOptions): SweepTarget | null {
  if (options.initial) return null;
  if (options.match !== undefined) return matchTarget(curves, path, options);
  const stored = curves.file?.decision.target ?? null;
  if (stored === null) {
    if (options.rule !== undefined || options.from !== undefined)
      throw new ConfigError(`${path}: --rule and --from need a diversity to match`, {
        hint: "give --match <sweep file or diversity>",
      });
    return null;
  }
  return {
    ...stored,
    rule: options.rule ?? stored.rule,
    minTemperature: options.from ?? stored.minTemperature,
  };
}

/** Curves of the files given, or one sweep out of the responses given. */
async function openCurves(
  paths: string[],
  options: TemperatureOptions,
): Promise<{ path: string; curves: ReadCurves }[]> {
  if (!options.responses) {
    const needing = (["problems", "out"] as const).find((key) => options[key] !== undefined);
    if (needing !== undefined)
      throw new ConfigError(`--${needing} needs --responses`, {
        hint: "polaris temperature --responses r-1.0.jsonl.gz r-1.2.jsonl.gz --out sweep.json",
      });
    const rows = paths.find((path) => /\.(jsonl|parquet)(\.\w+)?$/.test(path));
    if (rows !== undefined)
      throw new ConfigError(`${rows}: expected curves, got a file of rows`, {
        hint: "responses drawn at several temperatures are counted with --responses",
      });
    return paths.map((path) => ({ path, curves: readCurves(path) }));
  }
  const file = await sweepFromResponses({
    paths,
    ngram: options.ngram,
    unit: options.unit,
    robustTolerance: options.robustTolerance ?? DEFAULTS.robustTolerance,
    explorationShare: options.explorationShare ?? DEFAULTS.explorationShare,
    ...(options.problems === undefined ? {} : { problems: await readProblems(options.problems) }),
  });
  if (options.out !== undefined) writeFileAtomic(options.out, formatSweep(file));
  return [{ path: options.out ?? "stored responses", curves: curvesOfFile(file) }];
}

async function temperature(paths: string[], options: TemperatureOptions): Promise<void> {
  const opened = await openCurves(paths, options);
  const results = opened.map(({ path, curves }) => {
    const zones = curves.file?.decision.zones;
    const decision = decide(curves.points, path, {
      robustTolerance: options.robustTolerance ?? zones?.robustTolerance ?? DEFAULTS.robustTolerance,
      explorationShare: options.explorationShare ?? zones?.explorationShare ?? DEFAULTS.explorationShare,
      target: targetOf(curves, path, options),
    });
    return { path, curves, decision };
  });
  const lines = options.json
    ? results.map(({ path, decision }) => JSON.stringify({ file: path, ...decision }))
    : results.flatMap(({ path, curves, decision }, i) => [
        ...(i === 0 ? [] : [""]),
        ...temperatureText(path, curves, decision),
      ]);
  process.stdout.write(`${lines.join("\n")}\n`);
}

export function createTemperatureCommand(): Command {
  return new Command("temperature")
    .description("Zones and the temperature to train at, from stored curves; samples nothing.")
    .argument(
      "<curves...>",
      "sweep.json of temperature_sweep stages, or JSON with points of temperature, accuracy, diversity",
    )
    .option(
      "--robust-tolerance <share>",
      "the robust zone keeps accuracy within this of the peak (default: the file's, or 0.008)",
      share,
    )
    .option(
      "--exploration-share <share>",
      "the exploration zone keeps this share of the peak (default: the file's, or 0.8)",
      share,
    )
    .option(
      "--match <target>",
      "choose by diversity: a number, or the curves of the policy to be as diverse as",
    )
    .option(
      "--from <temperature>",
      "with a match: never below this (default: the matched sweep's temperature)",
      parseTemperature,
    )
    .addOption(
      new Option(
        "--rule <rule>",
        "with a match: the lowest temperature that reaches it, or the nearest",
      ).choices(["smallest", "nearest"]),
    )
    .option(
      "--responses",
      "the files are graded responses drawn at several temperatures (`polaris sample`, a stage's rollouts): count them into one sweep",
    )
    .option("--problems <file>", "with --responses: grade them again, against these problems")
    .option("--ngram <n>", "with --responses: n of distinct-n", wholeNumber(1, 16), 4)
    .addOption(
      new Option("--unit <unit>", "with --responses: what distinct-n counts")
        .choices(["words", "tokens"])
        .default("words"),
    )
    .option("--out <sweep.json>", "with --responses: write the sweep, for `temperature_from` and --match")
    .option("--initial", "take the end of the robust zone even where the file's stage matched a diversity")
    .option("--json", "print a JSON line per file")
    .action(temperature);
}
