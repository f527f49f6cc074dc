/** Files of records: JSONL, problems in several column dialects, rollouts; atomic writes. */
export {
  type AtomicFile,
  appendToFile,
  openAtomicFile,
  writeFileAtomic,
  writeFolderAtomic,
  writePiecesAtomic,
} from "./atomic.ts";
export {
  type Contamination,
  type ContaminationIndex,
  type ContaminationOptions,
  createContaminationIndex,
} from "./contamination.ts";
export { type HubDataset, type HubDatasetOptions, openHubDataset } from "./hub/dataset.ts";
export { type HubEnvironment, readHubEnvironment } from "./hub/environment.ts";
export { type ReadJsonOptions, readJsonFile } from "./json-file.ts";
export {
  appendJsonl,
  type JsonlLine,
  jsonLine,
  MAX_LINE_BYTES,
  type ReadJsonlOptions,
  readJsonl,
  writeJsonl,
} from "./jsonl.ts";
export { type ParquetRow, type ReadParquetOptions, readParquet } from "./parquet-read.ts";
export type { ParquetColumn, ParquetSchema } from "./parquet-schema.ts";
export {
  openParquetFile,
  type ParquetFile,
  type WriteParquetOptions,
  writeParquetRows,
} from "./parquet-write.ts";
export { dialectOf, PROBLEM_DIALECTS, type ProblemDialect, problemRow } from "./problem-dialects.ts";
export { type WriteProblemFileOptions, writeProblemFile } from "./problem-file.ts";
export { type ProblemColumns, type ProblemRowOptions, parseProblemRow } from "./problem-row.ts";
export {
  createIdAssigner,
  createRepeatFinder,
  type Duplicate,
  dedupeProblems,
  type ReadProblemsOptions,
  type RepeatedQuestion,
  readProblems,
  streamProblems,
  uniqueIds,
  writeProblems,
} from "./problems.ts";
export { normalizePrompt, promptId } from "./prompt-digest.ts";
export {
  type AnyRollout,
  type AnyRollouts,
  assumeFinish,
  groupAnyRollouts,
  type ReadAnyOptions,
  readAnyRollouts,
  streamAnyRollouts,
} from "./rollout-dialects.ts";
export {
  groupByProblem,
  matchesRollout,
  parseRollout,
  type RolloutFilter,
  readRollouts,
  streamRollouts,
  writeRollouts,
} from "./rollouts.ts";
export { openRowFile, type RowFile } from "./row-file.ts";
export {
  RL_FORMATS,
  type RlFormat,
  type RlRowInput,
  rlRow,
  rlSchema,
  SFT_FORMATS,
  SFT_SCHEMAS,
  type SftFormat,
  type SftRowInput,
  sftRow,
} from "./training-rows.ts";
