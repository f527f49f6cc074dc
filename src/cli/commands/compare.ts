/**
 * `polaris compare`: two evaluation files, or two arms of one, on the problems they share: difference, interval, problems
 * won and lost, p of no difference, and what that amounts to. Evaluations made under different conditions are refused.
 */
import { Command, InvalidArgumentError } from "commander";
import { didYouMean } from "../../config/nearest.ts";
import { DataError } from "../../errors.ts";
import { compareArms, isDecided } from "../../recipe/evaluation/comparison.ts";
import { compareConditions } from "../../recipe/evaluation/conditions.ts";
import type {
  ArmComparison,
  EvaluationArm,
  EvaluationFile,
} from "../../recipe/evaluation/evaluation-file.ts";
import { evaluationLabel, evaluationPath, readEvaluation } from "../../recipe/evaluation/read-evaluation.ts";
import { comparisonTable } from "../evaluation-table.ts";
import { createStyle, printable, wantsColor } from "../style.ts";

interface CompareCommandOptions {
  first?: string;
  second?: string;
  flips: number;
  anyway?: boolean;
  json?: boolean;
}

function parseFlips(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 99 || value > 10_000_000)
    throw new InvalidArgumentError("Expected 99 to 10000000.");
  return value;
}

/** The arm meant: the named one, or the only one. */
function pickArm(
  file: EvaluationFile,
  path: string,
  wanted: string | undefined,
  option: string,
): EvaluationArm {
  const names = file.arms.map(({ arm }) => arm);
  const arm =
    wanted === undefined
      ? names.length === 1
        ? file.arms[0]
        : undefined
      : file.arms.find((one) => one.arm === wanted);
  if (arm !== undefined) return arm;
  const list = names.slice(0, 20).join(", ");
  throw new DataError(
    wanted === undefined
      ? `${path}: expected one arm, got ${list || "none"}`
      : `${path}: no arm is called ${wanted.slice(0, 100)} (there are ${list})${didYouMean(wanted, names)}`,
    { hint: `choose one with ${option} <arm>` },
  );
}

/** Problems of both arms that share benchmark and id. */
function sharedProblems(first: EvaluationArm, second: EvaluationArm): number {
  return first.benchmarks.reduce((sum, { benchmark, problems }) => {
    const other = new Set(
      second.benchmarks.find((one) => one.benchmark === benchmark)?.problems.map(({ id }) => id),
    );
    return sum + problems.filter(({ id }) => other.has(id)).length;
  }, 0);
}

/** Files of two evaluations often call their arm the same: then each is called by its run too. */
function tellApart(
  first: EvaluationArm,
  second: EvaluationArm,
  paths: readonly [string, string],
): [EvaluationArm, EvaluationArm] {
  if (first.arm !== second.arm) return [first, second];
  const labels = paths.map(evaluationLabel);
  const [one, other] = labels[0] === labels[1] ? ["first", "second"] : labels;
  return [
    { ...first, arm: `${first.arm} (${one})` },
    { ...second, arm: `${second.arm} (${other})` },
  ];
}

/** What the comparison over everything shared amounts to. */
function verdictOf(comparison: ArmComparison): "first_higher" | "second_higher" | "undecided" {
  if (!isDecided(comparison)) return "undecided";
  return comparison.value > 0 ? "first_higher" : "second_higher";
}

function verdictLine(comparison: ArmComparison): string {
  const { arm, reference, value, low, high } = comparison;
  const points = (100 * Math.abs(value)).toFixed(1);
  const verdict = verdictOf(comparison);
  if (verdict === "undecided") {
    const resolution = (100 * Math.max(value - low, high - value)).toFixed(1);
    return `undecided: ${arm} and ${reference} are not told apart; these problems and samples show differences of about ${resolution} points and more`;
  }
  const [better, worse] = verdict === "first_higher" ? [arm, reference] : [reference, arm];
  return `${better} scores ${points} points higher than ${worse}: the interval leaves out zero and p is below 0.05`;
}

export function createCompareCommand(): Command {
  return new Command("compare")
    .description("Compares two evaluations problem by problem: the first minus the second.")
    .argument("<first>", "evaluation file (.json), or a run folder with one")
    .argument("[second]", "another one; left out, two arms of the first are compared")
    .option("--first <arm>", "arm of the first file, where it has several")
    .option("--second <arm>", "arm of the second file, where it has several")
    .option("--anyway", "compare evaluations made under different conditions")
    .option("--flips <n>", "random sign flips behind p", parseFlips, 9999)
    .option("--json", "print JSON")
    .action((firstGiven: string, secondGiven: string | undefined, options: CompareCommandOptions) => {
      const firstPath = evaluationPath(firstGiven);
      const secondPath = secondGiven === undefined ? firstPath : evaluationPath(secondGiven);
      const firstFile = readEvaluation(firstPath);
      const secondFile = secondGiven === undefined ? firstFile : readEvaluation(secondPath);
      const first = pickArm(firstFile, firstPath, options.first, "--first");
      const second = pickArm(secondFile, secondPath, options.second, "--second");
      if (first === second)
        throw new DataError(`${firstPath}: expected two arms, got ${first.arm} twice`, {
          hint: "name a second file, or another arm with --second",
        });
      const shared = sharedProblems(first, second);
      if (shared === 0)
        throw new DataError(
          `${firstPath} and ${secondPath}: expected problems with the same benchmark and id, got none`,
          {
            hint: "both evaluations must have been asked the same problems",
          },
        );
      const { conflicts, notes } = compareConditions(
        { file: firstFile, arm: first },
        { file: secondFile, arm: second },
      );
      if (conflicts.length > 0 && options.anyway !== true)
        throw new DataError(
          `${firstPath} and ${secondPath}: expected equal conditions, got ${conflicts.join("; ")}`,
          {
            hint: "evaluate again under equal conditions, or add --anyway: the difference is then not the models' alone",
          },
        );
      const named = tellApart(first, second, [firstPath, secondPath]);
      const { seed } = firstFile;
      const comparisons = compareArms(named[0], named[1], { seed, flips: options.flips });
      // The last entry is over everything shared.
      const overall = comparisons.at(-1) as ArmComparison;
      if (options.json) {
        const verdict = verdictOf(overall);
        process.stdout.write(
          `${JSON.stringify({ first: firstPath, second: secondPath, shared, conflicts, notes, verdict, comparisons })}\n`,
        );
        return;
      }
      const style = createStyle(wantsColor(process.stdout.isTTY === true));
      const lines = [
        ...conflicts.map((conflict) => style.yellow(`different conditions: ${printable(conflict)}`)),
        ...notes.map((note) => style.yellow(`note: ${printable(note)}`)),
        ...comparisonTable(comparisons, style),
        style.dim(
          "95% intervals over problems; p by random sign flips, not corrected for the number of comparisons",
        ),
        "",
        style.bold(printable(verdictLine(overall))),
        ...(conflicts.length === 0
          ? []
          : [style.yellow("the conditions differ: this is no comparison of the models alone")]),
      ];
      process.stdout.write(`${lines.join("\n")}\n`);
    });
}
