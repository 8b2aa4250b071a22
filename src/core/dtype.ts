/**
 * Dtypes: names, families, sizes, and JAX's promotion lattice with weak types.
 *
 * A dtype is its name. `weak` marks values that came from JavaScript numbers: they adapt to the dtype they meet. The
 * lattice is the one of JAX's type promotion page with 64-bit integers and complex128 mapped to their 32-bit forms.
 */
import { DTypeError } from "./problem.ts";

export type DType =
  | "bool"
  | "int8"
  | "int16"
  | "int32"
  | "uint8"
  | "uint16"
  | "uint32"
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64"
  | "complex64"
  | "key<fry>";

export const allDTypes: readonly DType[] = [
  "bool",
  "int8",
  "int16",
  "int32",
  "uint8",
  "uint16",
  "uint32",
  "float16",
  "bfloat16",
  "float32",
  "float64",
  "complex64",
  "key<fry>",
];

interface Facts {
  readonly family: "bool" | "signed" | "unsigned" | "float" | "complex" | "key";
  /** Bytes of one element in memory. */
  readonly bytes: number;
  /** The short name jaxprs print. */
  readonly short: string;
}

const facts: Readonly<Record<DType, Facts>> = {
  bool: { family: "bool", bytes: 1, short: "bool" },
  int8: { family: "signed", bytes: 1, short: "i8" },
  int16: { family: "signed", bytes: 2, short: "i16" },
  int32: { family: "signed", bytes: 4, short: "i32" },
  uint8: { family: "unsigned", bytes: 1, short: "u8" },
  uint16: { family: "unsigned", bytes: 2, short: "u16" },
  uint32: { family: "unsigned", bytes: 4, short: "u32" },
  float16: { family: "float", bytes: 2, short: "f16" },
  bfloat16: { family: "float", bytes: 2, short: "bf16" },
  float32: { family: "float", bytes: 4, short: "f32" },
  float64: { family: "float", bytes: 8, short: "f64" },
  complex64: { family: "complex", bytes: 8, short: "c64" },
  "key<fry>": { family: "key", bytes: 8, short: "key<fry>" },
};

export const isDType = (x: unknown): x is DType => typeof x === "string" && Object.hasOwn(facts, x);
export const isBool = (d: DType): boolean => d === "bool";
export const isSigned = (d: DType): boolean => facts[d].family === "signed";
export const isUnsigned = (d: DType): boolean => facts[d].family === "unsigned";
export const isInteger = (d: DType): boolean => facts[d].family === "signed" || facts[d].family === "unsigned";
export const isFloat = (d: DType): boolean => facts[d].family === "float";
export const isComplex = (d: DType): boolean => d === "complex64";
export const isInexact = (d: DType): boolean => facts[d].family === "float" || facts[d].family === "complex";
export const isKey = (d: DType): boolean => facts[d].family === "key";
export const bytesPerElement = (d: DType): number => facts[d].bytes;
export const shortName = (d: DType): string => facts[d].short;
/** The dtype of a complex dtype's parts; other dtypes are their own. */
export const realDType = (d: DType): DType => (d === "complex64" ? "float32" : d);

const aliases: Readonly<Record<string, DType>> = {
  bool_: "bool",
  int: "int32",
  uint: "uint32",
  float: "float32",
  complex: "complex64",
  int64: "int32",
  uint64: "uint32",
  complex128: "complex64",
};

/** Checks a dtype given by a user; 64-bit integers and complex128 mean their 32-bit forms, as in JAX without x64. */
export function parseDType(x: unknown): DType {
  if (isDType(x)) return x;
  const alias = typeof x === "string" && Object.hasOwn(aliases, x) ? aliases[x] : undefined;
  if (alias) return alias;
  throw new DTypeError("UnknownDType", {
    what: `${typeof x === "string" ? JSON.stringify(x) : String(x)} is not a dtype`,
    why: "a dtype is one of the names the library stores and computes with",
    fix: `use one of ${allDTypes.join(", ")}, for example numpy.float32`,
  });
}

/** A dtype together with whether it is weak: what promotion works on. */
export interface WeakDType {
  readonly dtype: DType;
  readonly weakType: boolean;
}

/** Points of the lattice: the dtypes and the weak scalars of Python's (here JavaScript's) int, float and complex. */
type Point = Exclude<DType, "key<fry>"> | "int*" | "float*" | "complex*";

/** Each point's immediate successors in JAX's lattice (jax.dev "Type promotion semantics"). */
const above: Readonly<Record<Point, readonly Point[]>> = {
  bool: ["int*"],
  "int*": ["uint8", "int8"],
  uint8: ["int16", "uint16"],
  int8: ["int16"],
  uint16: ["int32", "uint32"],
  int16: ["int32"],
  // uint32 and int32 meet in int64, which is int32 here; the step up from uint32 therefore stays in the 32-bit family.
  uint32: ["float*"],
  int32: ["float*"],
  "float*": ["float16", "bfloat16", "complex*"],
  float16: ["float32"],
  bfloat16: ["float32"],
  float32: ["float64", "complex64"],
  float64: [],
  "complex*": ["complex64"],
  complex64: [],
};

const pointOf = ({ dtype, weakType }: WeakDType): Point => {
  if (dtype === "key<fry>") throw keyArithmetic();
  if (!weakType || dtype === "bool") return dtype;
  return isInteger(dtype) ? "int*" : isComplex(dtype) ? "complex*" : "float*";
};

/** What a weak point becomes when it stands alone: keeps its own dtype where only weak values of one dtype met. */
const alone: Readonly<Record<"int*" | "float*" | "complex*", DType>> = {
  "int*": "int32",
  "float*": "float32",
  "complex*": "complex64",
};

const keyArithmetic = (): DTypeError =>
  new DTypeError("KeyArithmetic", {
    what: "a PRNG key was used in arithmetic",
    why: "keys are opaque: only the functions of random take them apart",
    fix: "draw numbers with random.uniform(key, …), or get the words with random.keyData(key)",
  });

const reach = new Map<Point, ReadonlySet<Point>>();
function reachable(p: Point): ReadonlySet<Point> {
  const known = reach.get(p);
  if (known) return known;
  const all = new Set<Point>([p]);
  for (const q of above[p]) for (const r of reachable(q)) all.add(r);
  reach.set(p, all);
  return all;
}

const joins = new Map<string, Point>();
/** The least upper bound of two points. */
function join(a: Point, b: Point): Point {
  if (a === b) return a;
  const key = `${a}|${b}`;
  const known = joins.get(key);
  if (known) return known;
  let found: Point;
  if ((a === "uint32" && isSignedPoint(b)) || (b === "uint32" && isSignedPoint(a))) found = "int32";
  else if ((a === "float64" && isComplexPoint(b)) || (b === "float64" && isComplexPoint(a))) found = "complex64";
  else {
    const common = [...reachable(a)].filter((p) => reachable(b).has(p));
    found = common.find((p) => common.every((q) => reachable(p).has(q)))!;
  }
  joins.set(key, found);
  return found;
}
const isSignedPoint = (p: Point): boolean => p === "int8" || p === "int16" || p === "int32";
const isComplexPoint = (p: Point): boolean => p === "complex64" || p === "complex*";

/**
 * The common dtype of operands, by JAX's lattice.
 */
export function promote(operands: readonly WeakDType[]): WeakDType {
  if (operands.length === 1) return operands[0]!;
  const [first, ...rest] = operands;
  if (!first) return { dtype: "float32", weakType: false };
  if (isKey(first.dtype) && operands.every((o) => o.dtype === first.dtype))
    return { dtype: first.dtype, weakType: false };
  const point = rest.reduce<Point>((p, o) => join(p, pointOf(o)), pointOf(first));
  if (point === "int*" || point === "float*" || point === "complex*") {
    // Weak operands alone: the widest dtype among those of the winning family (weak float64 stays float64).
    const family = operands.filter((o) => o.weakType && pointOf(o) === point).map((o) => o.dtype);
    const same = family.every((d) => d === family[0]) ? family[0] : undefined;
    return { dtype: same ?? (family.includes("float64") ? "float64" : alone[point]), weakType: true };
  }
  return { dtype: point, weakType: false };
}

/** Promotes to an inexact dtype: integers and booleans become float32 (JAX's `promote_types_inexact`). */
export function promoteInexact(operands: readonly WeakDType[]): WeakDType {
  const p = promote(operands);
  return isInexact(p.dtype) ? p : { dtype: "float32", weakType: p.weakType };
}
