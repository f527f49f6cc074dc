/** `polaris explain`: how two answers are read and which rule decides between them. */
import { Command, Option } from "commander";
import { describeAnswer } from "../../math/describe.ts";
import { extractAnswer } from "../../math/extract.ts";
import { verify } from "../../math/verify.ts";
import { createStyle, printable, wantsColor } from "../style.ts";

interface ExplainOptions {
  mode: "strict" | "compat";
  json?: boolean;
}

/** A whole response is reduced to its boxed answer first; anything else is taken as the answer. */
function answerOf(text: string): { answer: string; extracted: boolean } {
  const { answer } =
    text.includes("\\boxed") || text.includes("\\fbox") ? extractAnswer(text) : { answer: null };
  return answer === null ? { answer: text, extracted: false } : { answer, extracted: true };
}

export function createExplainCommand(): Command {
  return new Command("explain")
    .description(
      "Shows how a gold answer and an answer are parsed, their canonical forms, and the rule that decides.",
    )
    .argument("<gold>", "the gold answer")
    .argument("<answer>", "an answer, or a response with a boxed answer")
    .addOption(
      new Option("--mode <mode>", "strict, or the V1 grader bug for bug")
        .choices(["strict", "compat"])
        .default("strict"),
    )
    .option("--json", "print JSON")
    .action((gold: string, response: string, { mode, json }: ExplainOptions) => {
      const given = answerOf(response);
      const wanted = answerOf(gold);
      const verdict = verify(wanted.answer, given.answer, { mode });
      const sides = { gold: describeAnswer(wanted.answer), answer: describeAnswer(given.answer) };
      if (json) {
        process.stdout.write(`${JSON.stringify({ ...verdict, extracted: given.extracted, ...sides })}\n`);
        return;
      }
      const style = createStyle(wantsColor(process.stdout.isTTY === true));
      const out: string[] = [];
      for (const [name, side] of Object.entries(sides)) {
        out.push(`${style.bold(name.padEnd(7))} ${printable(side.text)}`);
        for (const line of side.tree) out.push(`        ${style.dim(printable(line))}`);
        out.push(`        form ${printable(side.form).slice(0, 400)}`);
        out.push(`        key  ${side.key}${side.opaque ? "  (parts of it are not understood)" : ""}`);
      }
      const word = verdict.equal ? style.green("equal") : style.red("not equal");
      out.push(`${word}   rule ${verdict.rule}, grader ${verdict.grader}, mode ${mode}`);
      process.stdout.write(`${out.join("\n")}\n`);
    });
}
