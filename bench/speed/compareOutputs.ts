/** How far a contender's outputs are from ours. */
import type { Numbers } from "./workload.ts";

export interface Difference {
  readonly absolute: number;
  /** The same, relative to the greatest magnitude in our output. */
  readonly relative: number;
}

/** The greatest difference over all outputs; infinite if sizes differ or a number is not finite. */
export function difference(ours: readonly Numbers[], theirs: readonly Numbers[]): Difference {
  if (ours.length !== theirs.length) return { absolute: Infinity, relative: Infinity };
  const each = ours.map((x, i) => differenceOfTwo(x, theirs[i]!));
  return {
    absolute: Math.max(...each.map((d) => d.absolute)),
    relative: Math.max(...each.map((d) => d.relative)),
  };
}

function differenceOfTwo(ours: Numbers, theirs: Numbers): Difference {
  if (ours.length !== theirs.length) return { absolute: Infinity, relative: Infinity };
  let [absolute, greatest] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    const [x, y] = [ours[i]!, theirs[i]!];
    greatest = Math.max(greatest, Math.abs(x));
    const d = Math.abs(x - y);
    absolute = Math.max(absolute, Number.isNaN(d) ? Infinity : d);
  }
  return { absolute, relative: absolute === 0 ? 0 : absolute / greatest };
}
