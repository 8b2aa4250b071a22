/**
 * Shapes: arithmetic on lists of axis lengths. Row-major throughout; a shape is never mutated once made.
 */
import { ArgumentError, IndexError, ShapeError } from "./problem.ts";

export type Shape = readonly number[];

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i]!;
  return n;
}

export function shapesEqual(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Elements to step over per axis in row-major order. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

export const shapeText = (shape: Shape): string => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;

/** The shape that all of them broadcast to, by NumPy's rule. `name` is the operation, for the message. */
export function broadcastShapes(name: string, shapes: readonly Shape[]): Shape {
  const ndim = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(ndim).fill(1);
  for (const s of shapes) {
    for (let i = 0; i < s.length; i++) {
      const axis = ndim - s.length + i;
      const n = s[i]!;
      if (out[axis] === 1) out[axis] = n;
      else if (n !== 1 && n !== out[axis]) throw cannotBroadcast(name, shapes);
    }
  }
  return out;
}

const cannotBroadcast = (name: string, shapes: readonly Shape[]): ShapeError =>
  new ShapeError("BroadcastMismatch", {
    what: `${name}: shapes ${shapes.map(shapeText).join(" and ")} do not broadcast together`,
    why: "axes are aligned from the last one; two lengths fit when they are equal or one of them is 1",
    fix: "reshape one operand, or insert an axis of length 1 with numpy.expandDims(x, axis)",
  });

/** Turns a possibly negative axis into one of 0…ndim−1. */
export function canonicalAxis(name: string, axis: number, ndim: number): number {
  if (Number.isInteger(axis) && axis >= -ndim && axis < ndim) return axis < 0 ? axis + ndim : axis;
  throw new IndexError("AxisOutOfRange", {
    what: `${name}: axis ${String(axis)} is out of range for an array with ${ndim} ${ndim === 1 ? "axis" : "axes"}`,
    why: "axes count from 0 at the front and from -1 at the back",
    fix: ndim === 0 ? "a scalar has no axes: leave the axis out" : `use an integer from ${-ndim} to ${ndim - 1}`,
  });
}

/** Canonical, distinct axes in the order given; `null` or `undefined` means all. */
export function canonicalAxes(
  name: string,
  axes: number | readonly number[] | null | undefined,
  ndim: number,
): number[] {
  if (axes === null || axes === undefined) return Array.from({ length: ndim }, (_, i) => i);
  const list = (typeof axes === "number" ? [axes] : [...axes]).map((a) => canonicalAxis(name, a, ndim));
  if (new Set(list).size !== list.length)
    throw new ArgumentError("DuplicateAxis", {
      what: `${name}: axis list [${list.join(", ")}] names an axis twice`,
      why: "every axis can be used at most once",
      fix: "remove the repeated axis",
    });
  return list;
}

/** Checks that a user's shape is made of non-negative integers. A number is a shape of one axis. */
export function parseShape(name: string, shape: number | readonly number[]): number[] {
  const list = typeof shape === "number" ? [shape] : Array.isArray(shape) ? [...(shape as readonly number[])] : null;
  if (list && list.every((n) => Number.isInteger(n) && n >= 0)) return list;
  throw new ShapeError("InvalidShape", {
    what: `${name}: ${list ? shapeText(list) : String(shape)} is not a shape`,
    why: "a shape is a list of non-negative integers, known when the program is traced",
    fix: "pass plain numbers, for example [2, 3]; sizes cannot be array values",
  });
}

/** The shape without `axes` (canonical). */
export const dropAxes = (shape: Shape, axes: readonly number[]): number[] => shape.filter((_, i) => !axes.includes(i));

/** The shape with `length` inserted as axis `axis`. */
export const insertAxis = (shape: Shape, axis: number, length: number): number[] => [
  ...shape.slice(0, axis),
  length,
  ...shape.slice(axis),
];

/** 0, 1, …, n−1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
