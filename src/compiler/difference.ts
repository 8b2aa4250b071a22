/** Where two lists of results differ most. */
import type { DType } from "../core/dtype.ts";
import { type HostArray, lanesOf } from "../core/hostArray.ts";
import { stridesOf } from "../core/shape.ts";

export interface Difference {
  /** The kernel, by the names of the loops and branches around it, or what else is wrong. */
  readonly path: string;
  /** The user's lines of the equations in the kernel. */
  readonly sources: readonly string[];
  /** Which result, and the position in it. */
  readonly result: number;
  readonly position: readonly number[];
  readonly found: number;
  readonly wanted: number;
  /** The difference, relative to the largest number of the result; ∞ where only one is a number. */
  readonly relative: number;
  /** How many elements differ. */
  readonly elements: number;
}

/** What rounding in another order may change, relative to the largest number. */
export const tolerances = (dtype: DType): number => allowed[dtype] ?? 0;
const allowed: Readonly<Partial<Record<DType, number>>> = {
  float64: 1e-11,
  float32: 2e-5,
  complex64: 2e-5,
  float16: 4e-3,
  bfloat16: 3e-2,
};

export function differenceOf(
  wanted: readonly HostArray[],
  found: readonly HostArray[],
  tolerance: (dtype: DType) => number,
): Omit<Difference, "path" | "sources"> | null {
  let worst: Omit<Difference, "path" | "sources"> | null = null;
  wanted.forEach((w, result) => {
    const f = found[result]!;
    const lanes = lanesOf(w.dtype);
    let scale = 1;
    for (const v of w.data) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
    const most = tolerance(w.dtype);
    let elements = 0;
    let [largest, at] = [0, -1];
    for (let i = 0; i < w.data.length; i++) {
      const relative = relativeTo(scale, f.data[i]!, w.data[i]!);
      if (!(relative > most)) continue;
      elements++;
      if (at < 0 || relative > largest) [largest, at] = [relative, i];
    }
    if (at < 0 || (worst && worst.relative >= largest)) return;
    const strides = stridesOf(w.shape);
    const flat = Math.floor(at / lanes);
    const position = w.shape.map((n, a) => Math.floor(flat / strides[a]!) % n);
    worst = { result, position, found: f.data[at]!, wanted: w.data[at]!, relative: largest, elements };
  });
  return worst;
}

function relativeTo(scale: number, a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const d = Math.abs(a - b) / scale;
  return Number.isNaN(d) ? Infinity : d;
}
