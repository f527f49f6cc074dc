import { defineConfig } from "tsdown";

export default defineConfig({
  entry: [
    "src/index.ts",
    "src/math/index.ts",
    "src/consensus/index.ts",
    "src/rl/index.ts",
    "src/stats/index.ts",
    "src/data/index.ts",
    "src/tensors/index.ts",
    "src/engine/index.ts",
    "src/engine/embedded/runtime/worker.ts",
    "src/cli/main.ts",
  ],
  format: "esm",
  platform: "node",
  target: "node20",
  dts: true,
  unbundle: true,
  fixedExtension: false,
});
