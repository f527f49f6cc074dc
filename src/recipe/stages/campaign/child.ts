/**
 * Stages inside a stage: a campaign runs rl, temperature_sweep, drop_easy and difference_filter through their own code,
 * each in a folder of its own below the campaign's checkpoints. A finished one whose content key fits is not run again,
 * so a killed or changed campaign replays its decisions from what they left and goes on where they end.
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { relative, sep } from "node:path";
import { ConfigError } from "../../../errors.ts";
import type { StageContext, StageKind, StageOutput } from "../../stage.ts";
import { mapOutputPaths } from "../../stage-output.ts";
import { resolveOutput } from "../output-files.ts";
import {
  comesAfterTraining,
  findPart,
  type Part,
  type PartKey,
  type PartPlace,
  partKey,
  partPlace,
  partReference,
  removePart,
  removeParts,
  writeFinished,
  writeStarted,
} from "./parts.ts";

export interface ChildOptions<Config> {
  kind: Pick<StageKind<Config>, "kind" | "version" | "inputs" | "run">;
  round: number;
  part: Part;
  config: Config;
  /** Seed of the part; the campaign's by default. */
  seed?: number;
  /** Steps of the campaign before this part, for metrics and progress; `total` are those of the whole campaign. */
  steps?: { before: number; total: number; values: Record<string, number> };
}

export interface ChildRunner {
  /** Runs a part, or gives what it left; paths of the output are relative to the run folder. */
  run<Config>(options: ChildOptions<Config>): Promise<StageOutput>;
  /** Output of a part that has run. */
  output(reference: string): StageOutput;
  /** The same, or null when it has not run. */
  find(reference: string): StageOutput | null;
  /** True until a part has run anew: what was decided so far may have been told by an earlier attempt. */
  replaying(): boolean;
  /** Removes what rounds or parts the campaign no longer has left behind. */
  removeUnused(): void;
}

/** The metrics of a part as steps of the campaign. */
function childMetrics(context: StageContext, steps: ChildOptions<unknown>["steps"]): StageContext["metrics"] {
  if (steps === undefined) return context.metrics;
  const { before, values } = steps;
  return {
    write: (step, metrics) => context.metrics.write(before + step, { ...metrics, ...values }),
    timing: (step, metrics) => context.metrics.timing(before + step, metrics),
    // The last step before this part is not its own: only the first part begins before step 0.
    rewind: (step) => context.metrics.rewind(step < 0 && before === 0 ? -1 : before + Math.max(0, step)),
  };
}

/** Opens the runner of one campaign. */
export function createChildRunner(context: StageContext): ChildRunner {
  const outputs = new Map<string, StageOutput>();
  /** Content keys of the parts so far. */
  const keys = new Map<string, string>();
  /** Parts found on disk and not yet told of. */
  const kept: { round: number; part: Part }[] = [];
  let replaying = true;
  const tellKept = (): void => {
    const rounds = [...new Set(kept.map(({ round }) => round))].map(
      (round) =>
        `round ${round} (${kept.flatMap((one) => (one.round === round ? one.part : [])).join(", ")})`,
    );
    if (rounds.length > 0) context.progress.note(`done before and kept: ${rounds.join(", ")}`);
    kept.length = 0;
  };
  const modelOf = (reference: string): string => {
    const output = outputs.get(reference);
    if (output === undefined) return reference;
    if (output.checkpoint === undefined)
      throw new ConfigError(`stage ${context.id}: ${reference} leaves no model`);
    return resolveOutput(context, output.checkpoint);
  };
  const childContext = (
    { round, part, seed, steps }: ChildOptions<never>,
    own: Pick<StageContext, "folder" | "checkpointFolder" | "keyParts">,
  ): StageContext => ({
    ...context,
    ...own,
    id: `${context.id}/round-${round}/${part}`,
    seed: seed ?? context.seed,
    output: (reference) => outputs.get(reference) ?? context.output(reference),
    model: (reference) => context.model(modelOf(reference)),
    policy: (reference) => context.policy(modelOf(reference)),
    reference: (reference) => context.reference(modelOf(reference)),
    sampler: (reference) => context.sampler(modelOf(reference)),
    template: (reference) => context.template(modelOf(reference)),
    metrics: childMetrics(context, steps),
    progress: {
      ...context.progress,
      update(done, total, values) {
        if (steps === undefined) context.progress.update(done, total, values);
        else context.progress.update(steps.before + done, steps.total, values);
      },
      note: (text) =>
        context.progress.note(
          `round ${round}, ${part}: ${text.replace(/\bround-(\d+):[a-z-]+/g, "round $1")}`,
        ),
    },
  });

  const keyOf = (reference: string): string => {
    const key = keys.get(reference) ?? context.keyParts.inputs[reference];
    if (key === undefined)
      throw new RangeError(`${reference} is neither a part nor an input of ${context.id}`);
    return key;
  };

  async function runFresh<Config>(
    options: ChildOptions<Config>,
    place: PartPlace,
    key: PartKey,
  ): Promise<StageOutput> {
    rmSync(place.partial, { recursive: true, force: true });
    for (const path of [place.partial, place.state]) mkdirSync(path, { recursive: true });
    writeStarted(place, key);
    const child = childContext(options as ChildOptions<never>, {
      folder: place.partial,
      checkpointFolder: place.state,
      keyParts: key.parts,
    });
    const returned = await options.kind.run(options.config, child);
    const own = `stages/${child.id}/`;
    const folder = relative(context.runFolder, place.folder).split(sep).join("/");
    const output = mapOutputPaths(returned, (path) =>
      path.startsWith(own) ? `${folder}/${path.slice(own.length)}` : path,
    );
    writeFinished(place.partial, { ...key, output });
    renameSync(place.partial, place.folder);
    return output;
  }

  return {
    async run(options) {
      const { round, part, kind, config } = options;
      const place = partPlace(context, round, part);
      const { engine } = context.keyParts;
      const key = partKey({ kind, config, seed: options.seed ?? context.seed, engine, keyOf });
      const found = findPart(context.runFolder, place, key);
      let { output } = found;
      if (output === null) {
        replaying = false;
        tellKept();
        if (found.stale !== null) context.progress.note(`round ${round}: ${part} runs again: ${found.stale}`);
        if (!found.begun) removePart(place);
        // Their keys cover these weights, and their steps are about to leave the metrics.
        if (part === "train") removeParts(context, (other, later) => comesAfterTraining(other, later, round));
        output = await runFresh(options, place, key);
      } else kept.push({ round, part });
      rmSync(place.state, { recursive: true, force: true });
      const reference = partReference(round, part);
      outputs.set(reference, output);
      keys.set(reference, key.key);
      return output;
    },
    output(reference) {
      const output = outputs.get(reference);
      if (output === undefined) throw new RangeError(`${reference} has not run`);
      return output;
    },
    find: (reference) => outputs.get(reference) ?? null,
    replaying: () => replaying,
    removeUnused() {
      tellKept();
      removeParts(context, (round, part) => !outputs.has(partReference(round, part)));
    },
  };
}
