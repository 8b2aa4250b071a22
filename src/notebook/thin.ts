/** Fewer points for a curve of the same looks. */

/** Points that are drawn of one curve, at most. */
const MOST_POINTS = 1000;

/** Positions to draw: all, or of each of equal stretches those of the least and the greatest value; first and last stay. */
export function thin(values: readonly number[]): readonly number[] {
  const n = values.length;
  if (n <= MOST_POINTS) return Array.from(values, (_, i) => i);
  const stretches = MOST_POINTS / 2;
  const chosen = new Set([0, n - 1]);
  for (let s = 0; s < stretches; s++) {
    const [from, to] = [Math.floor((s * n) / stretches), Math.floor(((s + 1) * n) / stretches)];
    let [least, greatest] = [-1, -1];
    for (let i = from; i < to; i++) {
      if (!Number.isFinite(values[i])) continue;
      if (least < 0 || values[i]! < values[least]!) least = i;
      if (greatest < 0 || values[i]! > values[greatest]!) greatest = i;
    }
    if (least >= 0) chosen.add(least).add(greatest);
  }
  return [...chosen].sort((a, b) => a - b);
}
