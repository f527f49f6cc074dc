import { describe, expect, it } from "vitest";
import { lineage, namedStages, parseRecipe, usesPracticeTasks } from "./recipe-view.ts";

const TEXT = `name: demo
seed: 3
stages:
  - {id: sft, kind: sft, model: "builtin:practice-small"}
  - {id: core, kind: rl, model: sft, problems: {from: [calibrate]}}
  - {id: difference, kind: difference_filter, model: core}
  - {id: filtered, kind: rl, model: core, problems: difference}
  - {id: taught, kind: distill, teacher: filtered, student: "builtin:practice-large"}
  - {id: calibrate, kind: calibrate, model: sft}
`;

describe("parseRecipe", () => {
  it("reads name, seed and stages in order", () => {
    const notes: string[] = [];
    const recipe = parseRecipe(TEXT, notes);
    expect(recipe).toMatchObject({ name: "demo", seed: 3, text: TEXT });
    expect(recipe.stages.map(({ id, kind }) => `${id}:${kind}`).slice(0, 3)).toEqual([
      "sft:sft",
      "core:rl",
      "difference:difference_filter",
    ]);
    expect(notes).toEqual([]);
  });

  it.each([
    ["absent", undefined],
    ["not YAML", "a: [b"],
    [
      "an alias bomb",
      `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
        .split("")
        .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(",")}]`)
        .join("\n")}\n`,
    ],
    ["too long", "x".repeat(1_000_001)],
  ])("notes a recipe that is %s and has no stages then", (_, text) => {
    const notes: string[] = [];
    expect(parseRecipe(text, notes).stages).toEqual([]);
    expect(notes.length).toBe(1);
  });

  it("ignores what is not a stage", () => {
    expect(parseRecipe("stages: [1, {kind: rl}, {id: 2}, {id: a}]", []).stages).toMatchObject([
      { id: "a", kind: "unknown" },
    ]);
    expect(parseRecipe("[]", []).stages).toEqual([]);
  });
});

describe("the stages a stage builds on", () => {
  const recipe = parseRecipe(TEXT, []);
  const stage = (id: string) => recipe.stages.find((candidate) => candidate.id === id)!;

  it("are those its settings name, at any depth", () => {
    expect(namedStages(recipe, stage("core")).map(({ id }) => id)).toEqual(["sft", "calibrate"]);
  });

  it("give the way its weights went", () => {
    expect(lineage(recipe, "filtered")).toEqual(["sft", "core", "filtered"]);
    expect(lineage(recipe, "taught")).toEqual(["taught"]);
    expect(lineage(recipe, "absent")).toEqual([]);
  });

  it("see the stage behind weights it kept beside its output", () => {
    const kept = parseRecipe("stages: [{id: a, kind: rl}, {id: b, kind: rl, model: a@best}]", []);
    expect(lineage(kept, "b")).toEqual(["a", "b"]);
    expect(namedStages(kept, kept.stages[1]!).map(({ id }) => id)).toEqual(["a"]);
  });

  it("say whether problems are the practice tasks", () => {
    expect(usesPracticeTasks(recipe)).toBe(false);
    const practice = "stages: [{id: a, kind: problems, sources: [{from: reference}, {from: practice}]}]";
    expect(usesPracticeTasks(parseRecipe(practice, []))).toBe(true);
  });

  it("end at a cycle", () => {
    const cyclic = parseRecipe("stages: [{id: a, model: b}, {id: b, model: a}]", []);
    expect(lineage(cyclic, "a")).toEqual(["b", "a"]);
  });
});
