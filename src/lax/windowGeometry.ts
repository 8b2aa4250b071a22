/**
 * Geometry of sliding windows, shared by convolutions and window reductions: padding by name, lengths of results, and
 * which operand position each pair (window position, result position) meets. All integers, known when tracing.
 */
import { ArgumentError } from "../core/problem.ts";

/** Padding before and after an axis; negative amounts cut. */
export type Pads = readonly [low: number, high: number];
/** Padding of all spatial axes, or a name: `SAME` keeps ⌈n / stride⌉ results, `VALID` pads nothing. */
export type Padding = string | readonly Pads[];

/** Length of an axis with `factor - 1` gaps between neighbours. */
export const dilated = (n: number, factor: number): number => (n === 0 ? 0 : (n - 1) * factor + 1);

/** Number of places where a window fits. */
export const strideCount = (n: number, window: number, stride: number): number =>
  n < window ? 0 : Math.floor((n - window) / stride) + 1;

/** Turns padding given by name into amounts; `windowShape` includes dilation. */
export function padtypeToPads(
  inShape: readonly number[],
  windowShape: readonly number[],
  windowStrides: readonly number[],
  padding: Padding,
): Pads[] {
  if (typeof padding !== "string") return padding.map(([low, high]): Pads => [low, high]);
  const name = padding.toUpperCase();
  if (name === "VALID") return inShape.map((): Pads => [0, 0]);
  if (name !== "SAME" && name !== "SAME_LOWER")
    throw new ArgumentError("UnknownPadding", {
      what: `unknown padding ${JSON.stringify(padding)}`,
      why: "padding by name is VALID, SAME (the odd element after) or SAME_LOWER (the odd element before)",
      fix: 'write "SAME", "SAME_LOWER", "VALID" or a list of [low, high] pairs',
    });
  return inShape.map((n, i): Pads => {
    const stride = windowStrides[i]!;
    const total = Math.max((Math.ceil(n / stride) - 1) * stride + windowShape[i]! - n, 0);
    const half = Math.floor(total / 2);
    return name === "SAME" ? [half, total - half] : [total - half, half];
  });
}

/** A window sliding along one axis. */
export interface AxisWindow {
  /** Length of the operand's axis, and gaps put between its elements (1: none). */
  readonly length: number;
  readonly baseDilation: number;
  readonly low: number;
  readonly window: number;
  readonly windowDilation: number;
  readonly stride: number;
  /** Number of places. */
  readonly places: number;
}

/** The operand position under window position `k` at place `o`, or -1 for padding and gaps. */
export function positionAt(a: AxisWindow, k: number, o: number): number {
  const p = o * a.stride + k * a.windowDilation - a.low;
  if (p < 0 || p % a.baseDilation !== 0) return -1;
  const i = p / a.baseDilation;
  return i < a.length ? i : -1;
}

/** All meetings of window position, place and operand position over several axes; each number is row-major flat. */
export interface Meetings {
  readonly window: Int32Array;
  readonly place: Int32Array;
  readonly operand: Int32Array;
}

/** For a fixed place, meetings come in row-major order of the window. */
export function meetings(axes: readonly AxisWindow[]): Meetings {
  let all: Meetings = { window: Int32Array.of(0), place: Int32Array.of(0), operand: Int32Array.of(0) };
  for (const a of axes) {
    const own: [number, number, number][] = [];
    for (let k = 0; k < a.window; k++)
      for (let o = 0; o < a.places; o++) {
        const i = positionAt(a, k, o);
        if (i >= 0) own.push([k, o, i]);
      }
    all = crossed(all, own, a);
  }
  return all;
}

function crossed(before: Meetings, own: readonly (readonly [number, number, number])[], a: AxisWindow): Meetings {
  const size = before.window.length * own.length;
  const next: Meetings = { window: new Int32Array(size), place: new Int32Array(size), operand: new Int32Array(size) };
  let t = 0;
  for (let b = 0; b < before.window.length; b++)
    for (const [k, o, i] of own) {
      next.window[t] = before.window[b]! * a.window + k;
      next.place[t] = before.place[b]! * a.places + o;
      next.operand[t++] = before.operand[b]! * a.length + i;
    }
  return next;
}
