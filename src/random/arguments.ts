/**
 * What the samplers share: checking keys, reading `shape` and `dtype`, broadcasting parameters, and the facts of float
 * formats that decide where intervals end.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type DType, isFloat, isInexact, isInteger, isKey, isUnsigned, parseDType } from "../core/dtype.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError, DTypeError, ShapeError } from "../core/problem.ts";
import { type Shape, broadcastShapes, parseShape, shapeText, shapesEqual } from "../core/shape.ts";
import { broadcastTo, convert } from "../core/structural.ts";
import { describeValue } from "../core/tree.ts";
import { readOptions } from "../lax/arguments.ts";
import { randomWrap } from "../lax/randomBits.ts";

// ---------------------------------------------------------------- keys

/** A legacy key: the two words themselves, as `PRNGKey` gives them. */
export const isLegacyKey = (x: unknown): x is NDArray =>
  x instanceof NDArray && x.dtype === "uint32" && x.shape.at(-1) === 2;

/** Keys of any shape; raw words are wrapped. */
export function asKeys(name: string, key: unknown): NDArray {
  if (key instanceof NDArray && isKey(key.dtype)) return key;
  if (isLegacyKey(key)) return randomWrap(key);
  throw new ArgumentError("NotAKey", {
    what: `random.${name}: expected a PRNG key, found ${describeValue(key)}`,
    why: "random numbers are a function of a key; there is no hidden state, so that programs can be repeated and traced",
    fix: `make a key with const key = random.key(0), then call random.${name}(key, …); random.split(key) gives more`,
  });
}

/** One key. */
export function asKey(name: string, key: unknown): NDArray {
  const keys = asKeys(name, key);
  if (keys.ndim === 0) return keys;
  throw new ArgumentError("SeveralKeys", {
    what: `random.${name}: expected a single key, found keys of shape ${shapeText(keys.shape)}`,
    why: "one call draws from one key",
    fix: `pick one, as in keys.slice(0), or draw from all: vmap((key) => random.${name}(key, …))(keys)`,
  });
}

// ---------------------------------------------------------------- shape and dtype

export interface SampleOptions {
  /** The result's shape. */
  readonly shape?: Shape | number | null | undefined;
  /** The result's dtype. */
  readonly dtype?: DType | null | undefined;
}

/** `shape` and `dtype` by position, then options by name. */
export type SampleRest<O extends object = SampleOptions> =
  | readonly []
  | readonly [Shape | number | null | undefined | O]
  | readonly [Shape | number | null | undefined, DType | null | undefined | O]
  | readonly [Shape | number | null | undefined, DType | null | undefined, O];

/** Reads `shape`, `dtype` and further options; the shape is checked, the dtype is `fallback` unless given. */
export function readSample<O extends SampleOptions>(
  name: string,
  rest: readonly unknown[],
  more: readonly (keyof O & string)[] = [],
): Partial<Omit<O, "shape">> & { readonly shape: Shape | null } {
  const given = readOptions<O>(`random.${name}`, ["shape", "dtype", ...more], 2, rest);
  return { ...given, shape: given.shape == null ? null : parseShape(`random.${name}`, given.shape) };
}

type Family = "float" | "inexact" | "integer" | "unsigned";
const families: Readonly<Record<Family, { readonly has: (d: DType) => boolean; readonly text: string }>> = {
  float: { has: isFloat, text: "float32, float16, bfloat16 or float64" },
  inexact: { has: isInexact, text: "a float dtype or complex64" },
  integer: { has: isInteger, text: "an integer dtype such as int32" },
  unsigned: { has: isUnsigned, text: "uint8, uint16 or uint32" },
};

/** A dtype of a family. */
export function sampleDType(name: string, dtype: DType | null | undefined, fallback: DType, family: Family): DType {
  const d = dtype == null ? fallback : parseDType(dtype);
  const { has, text } = families[family];
  if (has(d)) return d;
  throw new DTypeError("SampleDType", {
    what: `random.${name}: cannot draw numbers of dtype ${d}`,
    why: `its results are of ${family === "inexact" ? "a float or complex" : `${family === "float" ? "a" : "an"} ${family}`} dtype`,
    fix: `ask for ${text}, and convert the result if you need another`,
  });
}

/** The shape asked for, checked against the parameters', or the one they broadcast to. */
export function sampleShape(name: string, shape: Shape | null, ...parameters: readonly Shape[]): Shape {
  const together = broadcastShapes(`random.${name}`, shape === null ? parameters : [shape, ...parameters]);
  if (shape === null || shapesEqual(together, shape)) return together;
  throw new ShapeError("SampleShape", {
    what: `random.${name}: parameters of shape ${parameters.map(shapeText).join(" and ")} do not fit into the shape ${shapeText(shape)} asked for`,
    why: "parameters broadcast to the result's shape, which they cannot enlarge",
    fix: `leave the shape out, or ask for ${shapeText(together)}`,
  });
}

/** A parameter in the result's dtype and shape. */
export const parameter = (name: string, x: ArrayLike, shape: Shape, dtype: DType): NDArray =>
  broadcastTo(convert(asArray(x, `random.${name}`), dtype), shape);

// ---------------------------------------------------------------- float formats

interface FloatFacts {
  readonly bits: number;
  /** Bits of the fraction. */
  readonly mantissa: number;
  /** The smallest normal number. */
  readonly tiny: number;
}
const floats: Partial<Record<DType, FloatFacts>> = {
  float16: { bits: 16, mantissa: 10, tiny: 2 ** -14 },
  bfloat16: { bits: 16, mantissa: 7, tiny: 2 ** -126 },
  float32: { bits: 32, mantissa: 23, tiny: 2 ** -126 },
  float64: { bits: 64, mantissa: 52, tiny: 2 ** -1022 },
};
export const floatFacts = (dtype: DType): FloatFacts => floats[dtype]!;
/** The gap above 1. */
export const epsilon = (dtype: DType): number => 2 ** -floatFacts(dtype).mantissa;
