/**
 * Optimiser moments of a checkpoint: `optimizer/moments.safetensors`, flat vectors in the order of the parameters. In a
 * folder of their own, because some engines load every safetensors file that lies beside config.json.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CheckpointError } from "../../errors.ts";
import {
  readSafetensorsHeader,
  readTensors,
  type Tensor,
  tensorToFloat32,
} from "../../tensors/safetensors.ts";
import { writeSafetensors } from "../../tensors/safetensors-write.ts";

export interface OptimizerMoments {
  /** Updates done with these moments. */
  step: number;
  firstMoments: Float32Array;
  secondMoments: Float32Array;
}

const FOLDER = "optimizer";
const FILE = "moments.safetensors";

/** Writes the moments into an open folder. */
export function writeOptimizerState(folder: string, moments: OptimizerMoments): void {
  const tensor = (name: string, values: Float32Array): Tensor => {
    const copy = values.slice();
    return { name, dtype: "F32", shape: [values.length], data: new Uint8Array(copy.buffer) };
  };
  mkdirSync(join(folder, FOLDER), { recursive: true });
  writeSafetensors(
    join(folder, FOLDER, FILE),
    [tensor("exp_avg", moments.firstMoments), tensor("exp_avg_sq", moments.secondMoments)],
    { format: "pt", step: String(moments.step) },
  );
}

/** Reads the moments of a model with `size` parameters. @throws {CheckpointError} when missing or of another size */
export function readOptimizerState(folder: string, size: number): OptimizerMoments {
  const path = join(folder, FOLDER, FILE);
  const step = Number(readSafetensorsHeader(path).metadata?.["step"]);
  if (!Number.isInteger(step) || step < 0)
    throw new CheckpointError(`${path}: expected a step count in the metadata`);
  const tensors = readTensors(path, ["exp_avg", "exp_avg_sq"]);
  const vector = (name: string): Float32Array => {
    const values = tensorToFloat32(tensors.get(name) as Tensor);
    if (values.length !== size)
      throw new CheckpointError(`${path}: tensor "${name}": expected ${size} elements, got ${values.length}`);
    return values;
  };
  return { step, firstMoments: vector("exp_avg"), secondMoments: vector("exp_avg_sq") };
}
