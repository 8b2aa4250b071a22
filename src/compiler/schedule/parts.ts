/** Cutting extents in parts. */

/** The largest divisor of an extent that is no greater than wanted, and no less than half of that; null if there is none. */
export function evenPartOf(extent: number, wanted: number): number | null {
  for (let n = wanted; n > wanted / 2; n--) if (extent % n === 0) return n;
  return null;
}
