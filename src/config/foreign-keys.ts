/**
 * What keys of other trainers are called here, for whoever brings a verl or TRL configuration along: an error that names
 * the right key in place of a list of all of them. A hint only; no such key is read.
 */

/** Key here, by the other's name. A few words may follow the key. */
const NAMES: Record<string, string> = {
  // verl: trainer
  save_freq: "keep_models.every (weights) or checkpoint_every (what --resume needs)",
  test_freq: "validation.every",
  val_before_train: "validation.at_start",
  val_files: "validation.problems",
  train_files: "problems",
  total_epochs: "steps (an epoch has problems / batch_size steps)",
  total_training_steps: "steps",
  max_actor_ckpt_to_keep: "keep_models.newest",
  // verl: data, actor, rollout, algorithm
  train_batch_size: "batch_size",
  ppo_mini_batch_size: "mini_batches (how many, not how large)",
  ppo_max_token_len_per_gpu: "loss.micro_batch_tokens",
  max_response_length: "sampling.max_new_tokens",
  loss_agg_mode: "loss.aggregation",
  clip_ratio_low: "loss.clip_ratio_low",
  clip_ratio_high: "loss.clip_ratio_high",
  clip_ratio_c: "loss.clip_ratio_c",
  entropy_coeff: "loss.entropy_coefficient",
  kl_loss_coef: "loss.kl_coefficient",
  kl_loss_type: "loss.kl_estimator",
  grad_clip: "optimizer.max_gradient_norm",
  norm_adv_by_std_in_grpo: "loss.normalize_by_std",
  filter_groups: "zero_advantage.strategy: filter",
  max_num_gen_batches: "zero_advantage.max_rounds",
  // TRL
  save_steps: "keep_models.every (weights) or checkpoint_every (what --resume needs)",
  save_total_limit: "keep_models.newest",
  load_best_model_at_end: "output: best",
  eval_steps: "validation.every",
  eval_on_start: "validation.at_start",
  num_train_epochs: "steps (an epoch has problems / batch_size steps)",
  max_steps: "steps",
  per_device_train_batch_size: "batch_size (problems per step)",
  num_generations: "samples_per_problem",
  num_iterations: "mini_batches (updates per batch)",
  max_completion_length: "sampling.max_new_tokens",
  beta: "loss.kl_coefficient",
  epsilon: "loss.clip_ratio_low",
  epsilon_high: "loss.clip_ratio_high",
  loss_type: "loss.aggregation",
  scale_rewards: "loss.normalize_by_std",
  max_grad_norm: "optimizer.max_gradient_norm",
  // both
  temperature: "sampling.temperature",
  top_p: "sampling.top_p",
  top_k: "sampling.top_k",
  min_p: "sampling.min_p",
  lr: "optimizer.learning_rate",
  learning_rate: "optimizer.learning_rate",
  weight_decay: "optimizer.weight_decay",
  warmup_ratio: "schedule.warmup_ratio",
};

/**
 * What a key of another trainer is called here.
 *
 * @param known keys at the place where it was found, in snake_case: only what these lead to is named
 */
export function foreignKey(key: string, known: readonly string[]): string | undefined {
  const name = Object.hasOwn(NAMES, key) ? NAMES[key] : undefined;
  const first = name === undefined ? undefined : /^[a-z_]+/.exec(name)?.[0];
  return first !== undefined && known.includes(first) ? name : undefined;
}

/** Every name that is known, for the test that they lead somewhere. */
export const FOREIGN_KEYS: Readonly<Record<string, string>> = NAMES;
