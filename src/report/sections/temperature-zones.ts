/** The zones of a sweep as coloured stretches of temperature, the same in every picture. */
import type { SweepFile } from "../../recipe/temperature/sweep-file.ts";
import type { ZoneBand } from "../charts/temperature-curve.ts";

/** Names as in the paper, short enough for narrow zones; the caption spells them out. */
const ZONE_COLOURS = {
  RGZ: "var(--arm-filtered)",
  CEZ: "var(--arm-merged)",
  PCZ: "var(--arm-high)",
} as const;

/** Zones as stretches between probed temperatures; what lies below the robust zone stays unshaded. */
export function zoneBands({ points, decision }: Pick<SweepFile, "points" | "decision">): ZoneBand[] {
  const last = points.at(-1)?.temperature ?? 0;
  const { robust, explorationTo } = decision.zones;
  const band = (name: keyof typeof ZONE_COLOURS, from: number, to: number): ZoneBand => ({
    name,
    colour: ZONE_COLOURS[name],
    from,
    to,
  });
  return [
    band("RGZ", robust.from, robust.to),
    ...(explorationTo > robust.to ? [band("CEZ", robust.to, explorationTo)] : []),
    ...(last > explorationTo ? [band("PCZ", explorationTo, last)] : []),
  ];
}
