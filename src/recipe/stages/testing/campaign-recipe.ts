/** A campaign of three short rounds on the toy task, and the counting of its updates: what its tests share. */
import { openTabularPolicy, type TabularPolicy } from "./tabular-policy.ts";

/** Weights the campaign starts from: the toy task half learnt. */
export const BASE_STAGE = `
  - {id: sft, kind: sft, model: "{root}/model", data: ["{root}/mixed.jsonl.gz"], problems: "{root}/toy.jsonl", batch_size: 10, epochs: 60, optimizer: {learning_rate: 0.1}, schedule: {kind: constant}}
`;

/** Rounds: a first search; a second search with a longer limit and the difference filter; a given temperature. */
export const CAMPAIGN = `
  - id: loop
    kind: campaign
    model: "{root}/runs/base/stages/sft/model"
    problems: "{root}/toy.jsonl"
    train:
      steps: 5
      batch_size: 10
      samples_per_problem: 4
      sampling: {max_new_tokens: 12}
      optimizer: {learning_rate: 0.2}
      checkpoint_every: 2
      rescue: {enabled: true}
      zero_advantage: {on_gate: ignore, max_redraws: 500}
      validation: {problems: "{root}/toy.jsonl", every: 5, samples_per_problem: 2, at_start: true}
    search:
      problems: "{root}/toy.jsonl"
      samples_per_problem: 4
      ngram: 1
      unit: tokens
      sampling: {max_new_tokens: 12}
      grid: {start: 0.8, end: 1.2, step: 0.2}
      max_temperatures: 3
    drop_easy: {threshold: 0.6}
    difference_filter: {samples_per_problem: 4, mode: mixed, min_steps: 0}
    rounds:
      - {temperature: search}
      - {temperature: search, max_new_tokens: 13, difference_filter: true, steps: 4}
      - {temperature: 0.9, steps: 3, stop: {kind: plateau, metric: accuracy, window: 1, patience_steps: 2}}
`;

/** Opens tabular policies and tells of every update, before it is made. */
export function countingPolicies(onUpdate: () => void): (checkpoint: string) => Promise<TabularPolicy> {
  return async (checkpoint) => {
    const policy = await openTabularPolicy(checkpoint);
    const apply = policy.optimStep.bind(policy);
    policy.optimStep = async (parameters) => {
      onUpdate();
      return apply(parameters);
    };
    return policy;
  };
}
