/** A child process for kill tests: the `run` command with the counting stage as its only kind. */

import type { StageKind } from "../../recipe/stage.ts";
import { createCountingStage } from "../../recipe/testing/counting-stage.ts";
import { createRunCommand } from "../commands/run.ts";
import { reportFailure } from "../failure.ts";

const kinds = { count: createCountingStage() as StageKind };

try {
  await createRunCommand(kinds).parseAsync(process.argv.slice(3), { from: "user" });
} catch (error) {
  process.exitCode = reportFailure(error, { json: process.argv.includes("--json") });
}
