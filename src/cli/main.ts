#!/usr/bin/env node
/** Entry of the `polaris` command. */
import { runProgram } from "./program.ts";

// `polaris recipe show | head` closes the pipe early: that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runProgram(process.argv.slice(2));
