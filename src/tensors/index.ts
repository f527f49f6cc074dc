/** Checkpoints as files: safetensors, Hugging Face folders, merging, rotary scaling. */
export {
  type Checkpoint,
  type ParameterSlot,
  parameterCount,
  parameterSlots,
  readCheckpoint,
  readCheckpointConfig,
  TOKENIZER_FILES,
  type WriteCheckpointOptions,
  writeCheckpoint,
} from "./checkpoint-folder.ts";
export {
  DTYPE_BYTES,
  type DType,
  type FloatDType,
  float32ToHalf,
  fromFloat32,
  isFloatDType,
  toFloat32,
} from "./dtype.ts";
export { type MergeOptions, type MergeResult, mergeCheckpoints } from "./merge.ts";
export {
  type ParameterShape,
  parseQwen3Config,
  type Qwen3Config,
  qwen3ConfigJson,
  qwen3ConfigText,
  qwen3ParameterShapes,
} from "./qwen3-config.ts";
export { type RotaryFrequencies, type RotaryOptions, rotaryFrequencies, yarnRange } from "./rope.ts";
export {
  appliedAttentionScale,
  defaultAttentionScale,
  parseRopeScaling,
  portableRopeScalingJson,
  type RopeDialect,
  ropeJsonText,
  ropeScalingJson,
  type YarnScaling,
  yarnScaling,
} from "./rope-scaling.ts";
export {
  openSafetensors,
  readSafetensorsHeader,
  readTensors,
  type TensorReader,
  tensorToFloat32,
} from "./safetensors.ts";
export {
  elementCount,
  type SafetensorsHeader,
  type Tensor,
  type TensorEntry,
  type TensorSpecification,
} from "./safetensors-header.ts";
export { writeSafetensors, writeSafetensorsPieces } from "./safetensors-write.ts";
export {
  readRawConfig,
  ropeThetaOf,
  type ScaledFolderOptions,
  scaledConfig,
  writeScaledFolder,
} from "./scaled-folder.ts";
export { readTensorFolder } from "./tensor-folder.ts";
export { type YarnExport, type YarnExportOptions, yarnExport } from "./yarn-export.ts";
