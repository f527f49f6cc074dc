/** The problems of the next round: without what has become easy, then by difference. Source: recipe A2, B9. */
import type { DropEasyConfig } from "../../../config/stages/drop-easy.ts";
import { DataError } from "../../../errors.ts";
import type { Json } from "../../../types.ts";
import type { StageKind, StageOutput } from "../../stage.ts";
import { differenceFilterStage } from "../difference-filter.ts";
import { dropEasyProblems, dropEasyStage } from "../drop-easy.ts";
import { type Campaign, roundOf } from "./configs.ts";
import { evidenceOf } from "./decisions.ts";
import { shownFiles } from "./finish.ts";
import { partReference } from "./parts.ts";

/** A drop_easy stage that may leave too few problems: it then writes none. */
const dropEasyPart: Pick<
  StageKind<DropEasyConfig & { least: number }>,
  "kind" | "version" | "inputs" | "run"
> = {
  kind: dropEasyStage.kind,
  version: dropEasyStage.version,
  inputs: dropEasyStage.inputs,
  run: ({ least, ...config }, context) => dropEasyProblems(config, context, least),
};

/** The difference filter; that it keeps nothing is a finding here, not the end of a campaign of days. */
const differencePart: Pick<typeof differenceFilterStage, "kind" | "version" | "inputs" | "run"> = {
  ...differenceFilterStage,
  async run(config, context) {
    try {
      return await differenceFilterStage.run(config, context);
    } catch (error) {
      if (!(error instanceof DataError) || error.details["kept"] !== 0) throw error;
      return { numbers: evidenceOf(error.details as Record<string, Json>) };
    }
  },
};

/** Applies the rules of a round that has trained, each unless it would leave too few problems, and says what it did. */
export async function chooseProblems(campaign: Campaign, round: number): Promise<void> {
  const { config, children, decisions } = campaign;
  const rules = roundOf(campaign, round);
  const apply = (
    decision: "drop_easy" | "difference_filter",
    output: StageOutput,
    reference: string,
  ): void => {
    const kept = Number(output.numbers?.["kept"]);
    const before = campaign.problemCount;
    const enough = output.problems !== undefined && kept >= config.minProblems;
    if (enough) {
      campaign.problems = reference;
      campaign.problemCount = kept;
    }
    const rule =
      decision === "drop_easy"
        ? `problems whose accuracy over the visits of the round is above ${config.dropEasy.threshold} leave`
        : `mode ${config.differenceFilter.mode}`;
    decisions.add(
      {
        round,
        decision,
        choice: enough ? `${kept} of ${before} problems kept` : "not applied",
        reason: enough ? rule : `${kept} problems would be left, below min_problems ${config.minProblems}`,
        evidence: evidenceOf(output.numbers),
      },
      shownFiles(campaign, round),
    );
  };
  if (rules.dropEasy) {
    const output = await children.run({
      kind: dropEasyPart,
      round,
      part: "drop-easy",
      config: {
        ...config.dropEasy,
        problems: campaign.problems,
        log: partReference(round, "train"),
        least: config.minProblems,
      },
    });
    apply("drop_easy", output, partReference(round, "drop-easy"));
  }
  if (rules.differenceFilter) {
    const output = await children.run({
      kind: differencePart,
      round,
      part: "difference",
      config: {
        ...config.differenceFilter,
        problems: campaign.problems,
        model: campaign.model,
        sampling: {
          ...config.train.sampling,
          temperature: campaign.temperature,
          maxNewTokens: campaign.maxNewTokens,
        },
        consensus: partReference(round, "train"),
      },
    });
    apply("difference_filter", output, partReference(round, "difference"));
  }
}
