/** Functions applied along axes, over axes, and to every element. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { broadcastShapes, canonicalAxis, range, shapeText } from "../core/shape.ts";
import { broadcastTo, moveAxis, reshape } from "../core/structural.ts";
import { expandDims } from "../lax/movement.ts";
import { vmap } from "../transforms/vmap.ts";
import { type Rest, given } from "./arguments.ts";
import { selectArrays } from "../lax/compare.ts";
import { convertElementType } from "../lax/cast.ts";
import { truth } from "./logic.ts";

/**
 * A function of vectors applied to all lines along an axis; what it returns takes the axis's place.
 *
 * @example
 * np.applyAlongAxis((v) => np.sum(v), 0, np.array([[1, 2], [3, 4]])) // [4, 6]
 */
export function applyAlongAxis(
  func1d: (line: NDArray, ...args: never[]) => NDArray,
  axis: number,
  arr: ArrayLike,
  ...args: readonly unknown[]
): NDArray {
  const x = asArray(arr, "applyAlongAxis");
  const at = canonicalAxis("applyAlongAxis", axis, x.ndim);
  const moved = moveAxis(x, at, x.ndim - 1);
  const lead = moved.shape.slice(0, -1);
  const call = (line: NDArray): NDArray =>
    asArray((func1d as (...a: unknown[]) => ArrayLike)(line, ...args), "applyAlongAxis");
  const flat = reshape(moved, [lead.reduce((n, k) => n * k, 1), moved.shape.at(-1)!]);
  const out = x.ndim === 1 ? call(x) : vmap(call)(flat);
  if (x.ndim === 1) return out;
  // The result's own axes stand where the axis was.
  const own = out.shape.slice(1);
  const split = reshape(out, [...lead, ...own]);
  return own.reduce((y, _, k) => moveAxis(y, lead.length + k, at + k), split);
}

/**
 * A function of an array and an axis applied over several axes in turn.
 *
 * @example
 * np.applyOverAxes(np.sum, np.ones([2, 3]), [0, 1]) // [[6]]
 */
export function applyOverAxes(
  func: (x: NDArray, axis: number) => NDArray,
  a: ArrayLike,
  axes: number | readonly number[],
): NDArray {
  return (typeof axes === "number" ? [axes] : axes).reduce(
    (x: NDArray, axis) => {
      const y = func(x, axis);
      if (y.ndim === x.ndim) return y;
      if (y.ndim === x.ndim - 1) return expandDims(y, [canonicalAxis("applyOverAxes", axis, x.ndim)]);
      throw new ShapeError("ApplyShape", {
        what: `applyOverAxes: the function made ${shapeText(y.shape)} of ${shapeText(x.shape)}`,
        why: "it keeps the axis with length 1, or removes it",
        fix: "use a reduction such as numpy.sum",
      });
    },
    asArray(a, "applyOverAxes"),
  );
}

// ---------------------------------------------------------------- vectorize

export interface VectorizeOptions {
  /** Arguments that are passed as they are. */
  readonly excluded?: readonly number[] | undefined;
  /** Core shapes, such as `"(n,m),(m)->(n)"`; scalars by default. */
  readonly signature?: string | null | undefined;
}

/** Core axes of arguments and results. */
function parseSignature(signature: string): { readonly ins: string[][]; readonly outs: string[][] } {
  const [left, right] = signature.replace(/\s/g, "").split("->");
  const list = (text: string | undefined): string[][] =>
    [...(text ?? "").matchAll(/\(([^()]*)\)/g)].map((m) => (m[1] === "" ? [] : m[1]!.split(",")));
  const parsed = { ins: list(left), outs: list(right) };
  if (parsed.ins.length > 0 && parsed.outs.length > 0) return parsed;
  throw new ArgumentError("VectorizeSignature", {
    what: `vectorize: ${JSON.stringify(signature)} is no signature`,
    why: "it lists the core axes of arguments and results",
    fix: 'write, for example, "(n,m),(m)->(n)"',
  });
}

/**
 * A function of scalars (or of the core shapes of a signature) made to broadcast over leading axes.
 *
 * @example
 * np.vectorize((x, y) => x.mul(y))(np.array([1, 2]), np.array([[1], [10]])) // [[1, 2], [10, 20]]
 */
export function vectorize<R extends NDArray | readonly NDArray[]>(
  pyfunc: (...args: NDArray[]) => R,
  ...rest: Rest<[], VectorizeOptions>
): (...args: ArrayLike[]) => R {
  const { excluded = [], signature = null } = given<VectorizeOptions>("vectorize", ["excluded", "signature"], 0, rest);
  return (...args) => {
    const mapped = range(args.length).filter((i) => !excluded.includes(i));
    const core = signature === null ? mapped.map((): string[] => []) : parseSignature(signature).ins;
    if (core.length !== mapped.length)
      throw new ArgumentError("VectorizeArguments", {
        what: `vectorize: ${mapped.length} arguments for the signature ${JSON.stringify(signature)}`,
        why: "every argument has core axes in the signature",
        fix: `call it with ${core.length} arguments`,
      });
    const arrays = mapped.map((i) => asArray(args[i]!, "vectorize"));
    checkCore(arrays, core);
    const leads = arrays.map((x, k) => x.shape.slice(0, x.ndim - core[k]!.length));
    const lead = broadcastShapes("vectorize", leads);
    const call = (...xs: NDArray[]): R => {
      const all = [...args] as unknown[];
      mapped.forEach((i, k) => (all[i] = xs[k]));
      return pyfunc(...(all as NDArray[]));
    };
    // One vmap per leading axis; operands that lack the axis are passed whole.
    let f: (...xs: NDArray[]) => R = call;
    const sizes = arrays.map((x, k) => dropSingles(x, leads[k]!, lead));
    for (let axis = lead.length - 1; axis >= 0; axis--) {
      const inAxes = leads.map((shape) => (hasAxis(shape, lead, axis) ? 0 : null));
      if (inAxes.every((d) => d === null)) {
        const inner = f;
        f = (...xs) => mapResult(inner(...xs), (y) => expandDims(y, [0]));
      } else f = vmap(f as (...xs: NDArray[]) => NDArray, { inAxes }) as unknown as typeof f;
    }
    return f(...sizes);
  };
}

const placeOf = (shape: readonly number[], lead: readonly number[], axis: number): number =>
  axis - (lead.length - shape.length);
const hasAxis = (shape: readonly number[], lead: readonly number[], axis: number): boolean => {
  const i = placeOf(shape, lead, axis);
  return i >= 0 && (shape[i] !== 1 || false);
};
/** Without leading axes of length 1, which are broadcast. */
const dropSingles = (x: NDArray, shape: readonly number[], lead: readonly number[]): NDArray =>
  reshape(x, [
    ...shape.filter((_, i) => hasAxis(shape, lead, i + lead.length - shape.length)),
    ...x.shape.slice(shape.length),
  ]);

const mapResult = <R extends NDArray | readonly NDArray[]>(y: R, f: (x: NDArray) => NDArray): R =>
  (y instanceof NDArray ? f(y) : y.map(f)) as R;

function checkCore(arrays: readonly NDArray[], core: readonly (readonly string[])[]): void {
  const sizes = new Map<string, number>();
  arrays.forEach((x, k) =>
    core[k]!.forEach((name, j) => {
      const n = x.shape[x.ndim - core[k]!.length + j];
      const known = /^\d+$/.test(name) ? Number(name) : (sizes.get(name) ?? n);
      if (n === undefined || n !== known)
        throw new ShapeError("VectorizeCore", {
          what: `vectorize: argument ${k} of shape ${shapeText(x.shape)} does not fit (${core[k]!.join(",")})`,
          why: "core axes of the same name have the same length",
          fix: "check the argument, or the signature",
        });
      sizes.set(name, n);
    }),
  );
}

// ---------------------------------------------------------------- piecewise

/**
 * Different functions (or constants) where different conditions hold, the last condition winning; one function more than
 * conditions is the default, else 0.
 *
 * @example
 * np.piecewise(np.array([-1, 2]), [np.array([true, false])], [0, (x) => x]) // [0, 2]
 */
export function piecewise(
  x: ArrayLike,
  condlist: NDArray | readonly ArrayLike[],
  funclist: readonly (ArrayLike | ((x: NDArray, ...args: never[]) => ArrayLike))[],
  ...args: readonly unknown[]
): NDArray {
  const a = asArray(x, "piecewise");
  const conditions = (condlist instanceof NDArray ? [...condlist] : [...condlist]).map((c) =>
    truth(asArray(c, "piecewise")),
  );
  if (funclist.length !== conditions.length && funclist.length !== conditions.length + 1)
    throw new ArgumentError("PiecewiseCount", {
      what: `piecewise: ${funclist.length} functions for ${conditions.length} conditions`,
      why: "every condition has a function, and there may be one more as the default",
      fix: `pass ${conditions.length} or ${conditions.length + 1} functions`,
    });
  const value = (f: (typeof funclist)[number] | undefined): NDArray => {
    const y = typeof f === "function" ? (f as (...v: unknown[]) => ArrayLike)(a, ...args) : (f ?? 0);
    return broadcastTo(convertElementType(y, a.dtype), a.shape);
  };
  return conditions.reduce(
    (y, c, i) => selectArrays(broadcastTo(c, a.shape), value(funclist[i]), y),
    value(funclist[conditions.length]),
  );
}
