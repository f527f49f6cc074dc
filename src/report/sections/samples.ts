/**
 * Responses to read: a few per arm with their steps and the boxed answer marked. Chosen when they were sampled, not for
 * their looks. The verdict is on the final answer; nothing is claimed about single steps.
 */
import { armLabel, sortArms } from "../arms.ts";
import { describeSampling } from "../captions.ts";
import { armTag, missing, type Section } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatCount } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { markSteps } from "../mark-steps.ts";
import type { RunRecords } from "../read-run.ts";

type Sample = RunRecords["samples"][number];

/** Longest prompt and response shown; a long chain of thought is cut in the middle of nothing that is read. */
const MAX_PROMPT_CHARACTERS = 2_000;
const MAX_RESPONSE_CHARACTERS = 6_000;
/** Responses per arm, and arms; more would be a data dump, which the run folder already is. */
const MAX_PER_ARM = 12;
const MAX_ARMS = 24;

function cut(text: string, limit: number): { text: string; left: number } {
  return text.length <= limit ? { text, left: 0 } : { text: text.slice(0, limit), left: text.length - limit };
}

function verdictOf(sample: Sample): { text: string; kind: "right" | "wrong" | "unknown" } {
  const { verdict, finishReason } = sample.rollout;
  if (verdict === undefined) return { text: "not graded", kind: "unknown" };
  if (verdict.correct === null) return { text: `the grader failed (${verdict.reason})`, kind: "unknown" };
  if (verdict.correct) return { text: "correct", kind: "right" };
  if (finishReason === "length") return { text: "cut at the token limit", kind: "wrong" };
  if (verdict.answer === null) return { text: `no answer (${verdict.reason})`, kind: "wrong" };
  return { text: `wrong (${verdict.reason})`, kind: "wrong" };
}

function renderSample(sample: Sample): SafeHtml {
  const prompt = cut(sample.prompt, MAX_PROMPT_CHARACTERS);
  const response = cut(sample.rollout.text, MAX_RESPONSE_CHARACTERS);
  const verdict = verdictOf(sample);
  const left = (count: number): SafeHtml | string =>
    count === 0 ? "" : html`<span class="markup"> \u2026 ${formatCount(count)} more characters</span>`;
  return html`<div class="sample">
<p><span class="unit">${sample.benchmark}, ${sample.rollout.problemId}, sample ${sample.rollout.sample}:</span> <code>${prompt.text}</code>${left(prompt.left)}</p>
<pre>${markSteps(response.text).map(({ kind, text }) => (kind === "text" ? text : html`<span class="${kind}">${text}</span>`))}${left(response.left)}</pre>
<p><span class="verdict ${verdict.kind}">${verdict.text}</span> <span class="unit">expected ${cut(sample.answer, 200).text}${
    sample.rollout.verdict?.answer ? `, got ${cut(sample.rollout.verdict.answer, 200).text}` : ""
  }</span></p>
</div>
`;
}

/** The section. */
export function samplesSection(context: ReportContext): Section {
  const { samples } = context.records;
  const id = "samples";
  const title = "Sample responses";
  if (samples.length === 0) return missing(id, title, "no stage left a samples.json", "evaluate");
  const arms = sortArms(samples.map(({ arm }) => arm)).slice(0, MAX_ARMS);
  const first = samples[0]!.rollout;
  const body = html`<p>The first responses of each arm as they were sampled (${describeSampling(first.sampling)}, seed ${context.records.recipe.seed ?? "not recorded"}), not a selection. <span class="step">Steps</span> are what stands in <code>\\underline{}</code>, the <span class="boxed">answer</span> what stands in <code>\\boxed{}</code>. The verdict is on the final answer only; a marked step may be wrong in a correct response, and right in a wrong one.</p>
${arms.map((arm, i) => {
  const own = samples.filter((sample) => sample.arm === arm);
  const shown = own.slice(0, MAX_PER_ARM);
  return html`<details${i === 0 ? html` open` : ""}><summary>${armTag(armLabel(arm), context.colourOf(arm))} <span class="unit">${own.length > shown.length ? `${shown.length} of ${own.length} responses` : `${own.length} ${own.length === 1 ? "response" : "responses"}`}</span></summary>
${shown.map(renderSample)}</details>
`;
})}`;
  return { id, title, body };
}
