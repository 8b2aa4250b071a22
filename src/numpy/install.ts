/**
 * Puts the methods of `ArrayMethods` on `NDArray.prototype`. One of the two modules with an effect on import (see
 * `sideEffects` in package.json).
 */
import type { ArrayLike, ArrayMethods, IndexItem } from "../core/arrayMethods.ts";
import { jupyterDisplay, rendered } from "../core/display.ts";
import { type DType, bytesPerElement } from "../core/dtype.ts";
import { evaluator } from "../core/evaluator.ts";
import { NDArray } from "../core/ndarray.ts";
import { ArgumentError, ShapeError } from "../core/problem.ts";
import { Tracer } from "../core/trace.ts";
import { isOptions } from "../lax/arguments.ts";
import { unstack } from "../lax/rearrange.ts";
import * as arithmetic from "./arithmetic.ts";
import { placeIn, readIndex } from "./at.ts";
import { dot, matmul } from "./contract.ts";
import { astype } from "./creation.ts";
import { cumprod, cumsum } from "./cumulative.ts";
import * as floats from "./floats.ts";
import * as logic from "./logic.ts";
import { compress, nonzero } from "./nonzero.ts";
import { arrayMime, arrayText, reprText } from "./print.ts";
import { concreteOf, copyOf, itemOf, nestedOf, valuesLater, valuesOf } from "./reading.ts";
import * as reduce from "./reduce.ts";
import { repeat } from "./repeat.ts";
import * as shape from "./shape.ts";
import { searchsorted } from "./search.ts";
import { choose } from "./select.ts";
import { argpartition, argsort, sort } from "./sorting.ts";
import { take } from "./take.ts";
import { diagonal, trace } from "./triangles.ts";
import { viewAs } from "./view.ts";

/** A list of numbers given one by one or as one list. */
const spread = (list: readonly (number | readonly number[])[]): readonly number[] =>
  list.length === 1 && typeof list[0] !== "number" ? list[0]! : (list as readonly number[]);

type Method = (this: NDArray, ...args: never[]) => unknown;
type Methods = {
  [K in keyof ArrayMethods as ArrayMethods[K] extends (...args: never[]) => unknown ? K : never]: Method;
};

/** A binary function as a method. */
const operator = (f: (x: ArrayLike, y: ArrayLike, ...surplus: readonly []) => NDArray): Method =>
  function (this: NDArray, y: ArrayLike, ...surplus: readonly []) {
    return f(this, y, ...surplus);
  };

/** A function whose first parameter is the array as a method with the others. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const method = (f: (x: NDArray, ...rest: any[]) => unknown): Method =>
  function (this: NDArray, ...rest: never[]) {
    return f(this, ...rest);
  };

const methods: Methods = {
  // arithmetic
  add: operator(arithmetic.add),
  sub: operator(arithmetic.subtract),
  mul: operator(arithmetic.multiply),
  div: operator(arithmetic.divide),
  floordiv: operator(arithmetic.floorDivide),
  mod: operator(arithmetic.mod),
  pow: operator(arithmetic.power),
  neg: method(arithmetic.negative),
  abs: method(arithmetic.abs),
  matmul: method(matmul),
  dot: method(dot),
  // comparison and logic
  equal: operator(logic.equal),
  notEqual: operator(logic.notEqual),
  less: operator(logic.less),
  lessEqual: operator(logic.lessEqual),
  greater: operator(logic.greater),
  greaterEqual: operator(logic.greaterEqual),
  and: operator(logic.bitwiseAnd),
  or: operator(logic.bitwiseOr),
  xor: operator(logic.bitwiseXor),
  invert: method(logic.invert),
  lshift: operator(logic.leftShift),
  rshift: operator(logic.rightShift),
  // reductions
  sum: method(reduce.sum),
  prod: method(reduce.prod),
  mean: method(reduce.mean),
  var_: method(reduce.var_),
  std: method(reduce.std),
  min: method(reduce.min),
  max: method(reduce.max),
  any: method(reduce.any),
  all: method(reduce.all),
  argmin: method(reduce.argmin),
  argmax: method(reduce.argmax),
  cumsum: method(cumsum),
  cumprod: method(cumprod),
  // order
  sort: method(sort),
  argsort: method(argsort),
  // shape
  reshape: method((x, ...list: readonly (number | readonly number[] | shape.ReshapeOptions)[]) => {
    const options = list.at(-1);
    return isOptions(options)
      ? shape.reshape(x, spread(list.slice(0, -1) as number[]), options)
      : shape.reshape(x, spread(list as number[]));
  }),
  ravel: method(shape.ravel),
  flatten: method(shape.ravel),
  squeeze: method(shape.squeeze),
  transpose: method((x, ...axes: readonly (number | readonly number[] | null)[]) =>
    axes.length === 0 || axes[0] === null ? shape.transpose(x) : shape.transpose(x, spread(axes as readonly number[])),
  ),
  swapaxes: method(shape.swapaxes),
  repeat: method(repeat),
  take: method(take),
  diagonal: method(diagonal),
  trace: method(trace),
  // values
  astype: method(astype),
  round: method(floats.round),
  clip: method(arithmetic.clip),
  conj: method(floats.conj),
  copy: method((x) => x),
  // indexing
  slice: method((x, ...items: readonly IndexItem[]) => readIndex(x, items)),
  at: method((x, ...items: readonly IndexItem[]) => placeIn(x, items)),
  [Symbol.iterator]: method((x) => rows(x)),
  // reading
  data: method(async (x) => copyOf(await valuesLater(x, "data()"))),
  dataSync: method((x) => copyOf(valuesOf(x, "dataSync()"))),
  js: method((x) => nestedOf(valuesOf(x, "js()"))),
  jsAsync: method(async (x) => nestedOf(await valuesLater(x, "jsAsync()"))),
  item: method(itemOf),
  blockUntilReady: method(async (x) => {
    await evaluator().ready(concreteOf(x, "blockUntilReady()"));
    return x;
  }),
  dispose: method(dispose),
  [Symbol.dispose]: method(dispose),
  toString: method(arrayText),
};

type CompressRest = Parameters<typeof compress> extends readonly [unknown, unknown, ...infer R] ? R : never;

/** Further names of `jax.Array`. */
const more: { readonly [name: string]: Method } = {
  eq: operator(logic.equal),
  ne: operator(logic.notEqual),
  lt: operator(logic.less),
  le: operator(logic.lessEqual),
  gt: operator(logic.greater),
  ge: operator(logic.greaterEqual),
  conjugate: method(floats.conj),
  ptp: method(reduce.ptp),
  argpartition: method(argpartition),
  nonzero: method(nonzero),
  searchsorted: method(searchsorted),
  compress: method((x, condition: ArrayLike, ...rest: CompressRest) => compress(condition, x, ...rest)),
  choose: method(choose),
  view: method((x, dtype?: DType | { readonly dtype?: DType | null } | null) =>
    viewAs(x, isOptions(dtype) ? dtype.dtype : dtype),
  ),
};

/** Frees a concrete array's buffer; tracers have none. */
function dispose(x: NDArray): void {
  if (!(x instanceof Tracer)) evaluator().dispose(x);
}

/** The subarrays along the first axis. */
function rows(x: NDArray): IterableIterator<NDArray> {
  if (x.ndim > 0) return unstack(x, 0)[Symbol.iterator]();
  throw new ShapeError("IterateScalar", {
    what: `iteration over ${x.describe()}`,
    why: "an array is iterated along its first axis, and a scalar has none",
    fix: "use x.item() for the number, or x.reshape(1)",
  });
}

const getters: { readonly [name: string]: (this: NDArray) => unknown } = {
  T() {
    return shape.transpose(this);
  },
  mT() {
    return shape.matrixTranspose(this);
  },
  real() {
    return floats.real(this);
  },
  imag() {
    return floats.imag(this);
  },
  device() {
    return evaluator().deviceOf(this.concrete() ?? this);
  },
  itemsize() {
    return bytesPerElement(this.dtype);
  },
  nbytes() {
    return this.aval.bytes;
  },
};

const { prototype } = NDArray;
const define = (name: PropertyKey, descriptor: PropertyDescriptor): void => {
  Object.defineProperty(prototype, name, { configurable: true, enumerable: false, ...descriptor });
};
for (const name of Reflect.ownKeys(methods)) define(name, { value: methods[name as keyof Methods], writable: true });
for (const [name, value] of Object.entries(more)) define(name, { value, writable: true });
for (const [name, get] of Object.entries(getters)) define(name, { get });

// What consoles and notebooks show.
for (const name of ["nodejs.util.inspect.custom", "Deno.customInspect"])
  define(Symbol.for(name), { value: method((x) => reprText(x)), writable: true });
define(jupyterDisplay, { value: method((x) => rendered(x, () => arrayMime(x))), writable: true });

/**
 * Assignment to an element would make an ordinary property and change nothing. Setters on the prototype catch it without
 * a cost where arrays are made; positions beyond the first ones are not caught.
 */
const WATCHED_POSITIONS = 256;
for (let i = 0; i < WATCHED_POSITIONS; i++)
  define(i, {
    get: () => undefined,
    set() {
      throw new ArgumentError("ArrayAssignment", {
        what: `x[${i}] = … assigns to an element of an array`,
        why: "arrays are immutable values: programs that compute with them can be differentiated, mapped and compiled",
        fix: `make a new array, x.at(${i}).set(value); read with x.slice(${i})`,
      });
    },
  });
