/**
 * Makes the practice base models that ship in assets/, from nothing: seeded fresh weights, then the curriculum of
 * src/recipe/practice/curriculum.ts on the embedded engine. Equal versions give equal bits.
 *
 *   npm run pretrain                                    both models, into assets/
 *   npm run pretrain -- --model practice-small --output /some/folder
 *   npm run pretrain -- --check                         makes them again elsewhere and compares every byte
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { openEmbeddedPolicy } from "../src/engine/embedded/policy.ts";
import { CURRICULA } from "../src/recipe/practice/curriculum.ts";
import {
  PRACTICE_MODELS,
  type PracticeModel,
  writeInitialCheckpoint,
} from "../src/recipe/practice/models.ts";
import { curriculumSteps, type PretrainStep, runCurriculum } from "../src/recipe/practice/pretrain.ts";

/** Steps between two printed lines. */
const PRINT_EVERY = 50;

/** Pretrains one model and leaves its checkpoint in `<output>/<model>`. */
async function pretrain(model: PracticeModel, output: string): Promise<void> {
  const curriculum = CURRICULA[model];
  const total = curriculumSteps(curriculum);
  const scratch = mkdtempSync(join(tmpdir(), "polaris-pretrain-"));
  try {
    await writeInitialCheckpoint(join(scratch, "initial"), model, curriculum.seed);
    const policy = await openEmbeddedPolicy({ checkpoint: join(scratch, "initial"), microBatchRows: 2048 });
    try {
      const started = performance.now();
      let tokens = 0;
      let done = 0;
      let window: number[] = [];
      await runCurriculum({
        policy,
        curriculum,
        scratch: join(scratch, "between-phases"),
        onStep: (step: PretrainStep) => {
          done++;
          tokens += step.tokens;
          window.push(step.loss);
          if (done % PRINT_EVERY !== 0 && done !== total) return;
          const seconds = (performance.now() - started) / 1000;
          const loss = window.reduce((sum, value) => sum + value, 0) / window.length;
          window = [];
          console.log(
            `${model}  ${done}/${total}  ${step.phase} ${step.step}  loss ${loss.toFixed(4)}  ` +
              `${(tokens / 1e6).toFixed(2)} M tokens  ${seconds.toFixed(0)} s`,
          );
        },
      });
      await policy.save(join(scratch, "trained"));
      rmSync(join(output, model), { recursive: true, force: true });
      cpSync(join(scratch, "trained"), join(output, model), { recursive: true });
    } finally {
      await policy.close();
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Compares two folders byte for byte; returns the names that differ. */
function differingFiles(left: string, right: string): string[] {
  const names = new Set([...readdirSync(left), ...readdirSync(right)]);
  return [...names].sort().filter((name) => {
    try {
      return !readFileSync(join(left, name)).equals(readFileSync(join(right, name)));
    } catch {
      return true;
    }
  });
}

const assets = resolve(import.meta.dirname, "..", "assets");
const { values } = parseArgs({
  options: {
    model: { type: "string" },
    output: { type: "string", default: assets },
    check: { type: "boolean", default: false },
  },
});
const models = PRACTICE_MODELS.filter((model) => values.model === undefined || values.model === model);
if (models.length === 0) {
  console.error(`--model: expected one of ${PRACTICE_MODELS.join(", ")}, got ${values.model}`);
  process.exit(2);
}
const output = values.check ? mkdtempSync(join(tmpdir(), "polaris-pretrain-check-")) : resolve(values.output);
for (const model of models) {
  await pretrain(model, output);
  if (!values.check) {
    console.log(`wrote ${join(output, model)}`);
    continue;
  }
  const different = differingFiles(join(output, model), join(assets, model));
  if (different.length > 0) process.exitCode = 1;
  console.log(
    different.length === 0
      ? `${model}: identical to assets/${model}`
      : `${model}: differs from assets/${model} in ${different.join(", ")}`,
  );
}
if (values.check) rmSync(output, { recursive: true, force: true });
