/**
 * Calling user functions: arguments and results are trees, rules work on flat lists of arrays. Here arguments are
 * flattened and checked leaf by leaf, results are flattened, and functions that cannot be transformed (async ones,
 * ones that return strings) are reported.
 */
import type { ArrayLike } from "./arrayMethods.ts";
import { NDArray } from "./ndarray.ts";
import { asArray } from "./operands.ts";
import { ArgumentError, TransformError, TreeError } from "./problem.ts";
import { type KeyPath, type TreeDef, describeValue, flatten, flattenInto, keyString, unflatten } from "./tree.ts";

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyFunction = (...args: any[]) => any;

/** The name of a user function for messages and jaxprs. */
export const nameOf = (f: unknown): string => (typeof f === "function" && f.name) || "<anonymous>";

/** Checks that a transform was given a function. */
export function checkCallable(transform: string, f: unknown, call = `${transform}(f)(x)`): void {
  if (typeof f === "function") return;
  throw new ArgumentError("NotAFunction", {
    what: `${transform}: expected a function, found ${describeValue(f)}`,
    why: "transformations take functions and return functions",
    fix: `pass the function itself: ${call}, not ${transform}(f(x))`,
  });
}

/** Whether a leaf can become an array. */
export const isArrayLeaf = (x: unknown): boolean =>
  x instanceof NDArray ||
  typeof x === "number" ||
  typeof x === "boolean" ||
  typeof x === "bigint" ||
  (ArrayBuffer.isView(x) && !(x instanceof DataView));

/** One leaf of an argument as an array; numbers are weak float32. */
export function leafArray(x: unknown, path: () => string, transform: string): NDArray {
  if (x instanceof NDArray) return x;
  if (isArrayLeaf(x)) return asArray(x as ArrayLike, transform);
  throw new TreeError("BadLeaf", {
    what: `${transform}: ${path()} is ${describeValue(x)}, not an array`,
    why: "arguments and results of a transformed function are trees of arrays and numbers",
    fix:
      typeof x === "string" || typeof x === "function"
        ? "close over it, or declare the argument static with { staticArgnums: [i] } in jit"
        : "convert it to an array, or register its class with tree.registerPytreeNode",
  });
}

/** The path of an argument's leaf in words: `argument 0 (.layers[1].w)`. */
export const argumentPath = (path: KeyPath): string => {
  const [first, ...rest] = path;
  const n = first?.kind === "index" ? first.index : 0;
  return `argument ${n}${rest.length ? ` at ${keyString(rest)}` : ""}`;
};

/** A flattened argument list or tree. */
export interface Flat {
  readonly leaves: NDArray[];
  readonly def: TreeDef;
}

/** Flattens a list of arguments. */
export function flattenArgs(args: readonly unknown[], transform: string): Flat {
  const [raw, def] = flatten(args);
  return { leaves: toArrays(raw, def, transform, argumentPath), def };
}

/** Flattens one tree; `what` names it in messages. */
export function flattenTree(x: unknown, transform: string, what: string): Flat {
  const [raw, def] = flatten(x);
  return { leaves: toArrays(raw, def, transform, (p) => `${what}${p.length ? ` at ${keyString(p)}` : ""}`), def };
}

function toArrays(raw: unknown[], def: TreeDef, transform: string, pathText: (p: KeyPath) => string): NDArray[] {
  let paths: KeyPath[] | null = null;
  for (let i = 0; i < raw.length; i++) {
    if (raw[i] instanceof NDArray) continue;
    raw[i] = leafArray(raw[i], () => pathText((paths ??= def.paths())[i]!), transform);
  }
  return raw as NDArray[];
}

/** Flattens what a user function returned. */
export function flattenResult(y: unknown, transform: string, f: unknown): Flat {
  if (typeof (y as { then?: unknown } | null | undefined)?.then === "function") {
    // The promise is abandoned here; its failure must not take the process down as an unhandled rejection.
    void Promise.resolve(y).catch(() => undefined);
    throw asyncFunction(transform, f);
  }
  const leaves: unknown[] = [];
  const def = flattenInto(y, leaves);
  return {
    leaves: toArrays(
      leaves,
      def,
      transform,
      (p) => `the result of ${nameOf(f)}${p.length ? ` at ${keyString(p)}` : ""}`,
    ),
    def,
  };
}

export const asyncFunction = (transform: string, f: unknown): TransformError =>
  new TransformError("AsyncFunction", {
    what: `${transform}: ${nameOf(f)} is async (it returned a promise)`,
    why: "a transformed function runs once, synchronously, on traced values; there is nothing to await",
    fix: "read data before calling the transformed function and pass it as an argument; make the function synchronous",
  });

/** A user function as a function of flat arrays, remembering the structure of its last result. */
export class FlatFunction {
  out: TreeDef | null = null;
  readonly f: AnyFunction;
  readonly inDef: TreeDef;
  readonly transform: string;
  constructor(f: AnyFunction, inDef: TreeDef, transform: string) {
    this.f = f;
    this.inDef = inDef;
    this.transform = transform;
  }
  readonly call = (leaves: readonly NDArray[]): readonly NDArray[] => {
    const result: unknown = this.f(...(unflatten(this.inDef, leaves) as unknown[]));
    const flat = flattenResult(result, this.transform, this.f);
    this.out = flat.def;
    return flat.leaves;
  };
}

/** Checks an options object: unknown keys are errors that list the known ones. */
export function checkOptions(transform: string, options: object | undefined, known: readonly string[]): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Array.isArray(options) || options instanceof NDArray)
    throw new ArgumentError("InvalidOptions", {
      what: `${transform}: expected an options object, found ${describeValue(options)}`,
      why: "optional parameters are given by name in one trailing object",
      fix: `${transform}(…, { ${known[0] ?? ""}: … })`,
    });
  for (const k of Object.keys(options))
    if (!known.includes(k))
      throw new ArgumentError("UnknownOption", {
        what: `${transform}: unknown option ${JSON.stringify(k)}`,
        why: "a misspelt option would be ignored silently",
        fix: known.length ? `the options are ${known.join(", ")}` : `${transform} has no options`,
      });
}
