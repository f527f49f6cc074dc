/** Reads sweep files and bare curves from anywhere: checked, capped, one clear line for what is wrong. */
import type { ZodType } from "zod";
import { readJsonFile } from "../../data/json-file.ts";
import { DataError } from "../../errors.ts";
import type { CurvePoint } from "./decide.ts";
import type { SweepFile } from "./sweep-file.ts";
import { curveShape, sweepShape } from "./sweep-shape.ts";

/** A hundred temperatures of a hundred thousand problems. */
const MAX_BYTES = 256 * 1024 * 1024;
const HINT =
  "name a sweep.json, which a temperature_sweep stage writes: stages/<id>/sweep.json in a run folder";

function parse<Value>(path: string, value: unknown, shape: ZodType<Value>, what: string): Value {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new DataError(
    `${path}: expected ${what}: ${issue?.path.join(".") || "top level"}: ${issue?.message ?? "wrong shape"}`,
    { hint: HINT },
  );
}

/** @throws {DataError} when the file is missing, too large, no JSON, or no sweep; names the first wrong field */
export function readSweep(path: string): SweepFile {
  const value = readJsonFile(path, { maxBytes: MAX_BYTES, hint: HINT });
  return checkSweep(path, parse(path, value, sweepShape, "the result of a temperature sweep"));
}

/** The numbers of every problem must belong together: a paired interval over others would be nonsense. */
function checkSweep(path: string, file: SweepFile): SweepFile {
  for (const { temperature, correct, distinct } of file.points)
    if (correct.length !== file.problems.ids.length || distinct.length !== correct.length)
      throw new DataError(
        `${path}: temperature ${temperature}: expected results of ${file.problems.ids.length} problems, got ${correct.length} and ${distinct.length}`,
        { hint: HINT },
      );
  return file;
}

/** What a file says of temperatures: a whole sweep, or curves alone. */
export interface ReadCurves {
  points: CurvePoint[];
  /** Null for bare curves. */
  file: SweepFile | null;
  /** How many responses every point comes from; null where bare curves do not say. */
  drawn: { problems: number; samplesPerProblem: number } | null;
}

/** @throws {DataError} as `readSweep` */
export function readCurves(path: string): ReadCurves {
  const value = readJsonFile(path, { maxBytes: MAX_BYTES, hint: HINT });
  const whole = sweepShape.safeParse(value);
  if (whole.success) {
    const file = checkSweep(path, whole.data);
    return curvesOfFile(file);
  }
  if (typeof value === "object" && value !== null && "layout" in value)
    return { points: [], file: readSweep(path), drawn: null };
  const curves = parse(path, value, curveShape, "a sweep, or points with temperature and accuracy");
  const { problems, samples_per_problem: samplesPerProblem } = curves;
  return {
    points: curves.points,
    file: null,
    drawn: problems === undefined || samplesPerProblem === undefined ? null : { problems, samplesPerProblem },
  };
}

/** A whole sweep as curves. */
export function curvesOfFile(file: SweepFile): ReadCurves {
  const { problems, conditions } = file;
  const drawn = { problems: problems.count, samplesPerProblem: conditions.samplesPerProblem };
  return { points: curveOf(file), file, drawn };
}

/** The curves of a sweep with the accuracy of every problem, for paired intervals. */
export function curveOf(file: Pick<SweepFile, "points" | "conditions">): CurvePoint[] {
  return file.points.map(({ temperature, accuracy, diversity, correct }) => ({
    temperature,
    accuracy: accuracy.value,
    diversity: diversity.value,
    problemAccuracies: correct.map((solved) => solved / file.conditions.samplesPerProblem),
  }));
}
