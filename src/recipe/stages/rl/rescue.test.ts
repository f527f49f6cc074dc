import { describe, expect, test } from "vitest";
import { randomStream } from "../../../random.ts";
import { RescueSink } from "../../../rl/index.ts";
import { toyGroup } from "../testing/groups.ts";
import type { Member } from "./group.ts";
import { rescueGroups } from "./rescue.ts";

describe("rescueGroups", () => {
  test("gives a remembered correct response to a group that failed, in place of one wrong one", () => {
    const sink = new RescueSink<Member>();
    const visit = (epoch: number, group = toyGroup(0, [0, 0, 0, 0])) =>
      rescueGroups([group], { sink, random: randomStream(1, "rescue", epoch), epoch, maxLengthTokens: 99 });
    expect(visit(0).rescued).toBe(0);
    expect(visit(1, toyGroup(0, [0, 1, 0, 0])).rescued).toBe(0);
    const before = toyGroup(0, [0, 0, 0, 0]);
    const { groups, rescued } = visit(2, before);
    expect(rescued).toBe(1);
    const members = groups[0]?.members as Member[];
    expect(members.filter((member) => member.reward?.outcome === 1)).toHaveLength(1);
    expect(members.find((member) => member.reward?.outcome === 1)?.stale).toBe(true);
    expect(before.members.every((member) => member.reward?.outcome === 0)).toBe(true);
  });

  test("does not use a response longer than the limit", () => {
    const sink = new RescueSink<Member>();
    const random = randomStream(1, "rescue");
    rescueGroups([toyGroup(0, [1, 0])], { sink, random, epoch: 0, maxLengthTokens: 99 });
    const failed = { sink, random, epoch: 1, maxLengthTokens: 3 };
    expect(rescueGroups([toyGroup(0, [0, 0])], failed).rescued).toBe(0);
  });
});
