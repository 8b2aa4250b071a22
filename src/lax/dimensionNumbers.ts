/**
 * Dimension numbers and modes by name. They are plain objects and strings; the functions here check the fields and fill in
 * the optional ones, and may be called with or without `new`.
 */
import { ArgumentError } from "../core/problem.ts";
import { integers, isOptions, readOptions } from "./arguments.ts";
import type * as contract from "./contract.ts";
import type * as conv from "./convDimensions.ts";
import { full } from "./creation.ts";
import type { DType } from "../core/dtype.ts";
import type { NDArray } from "../core/ndarray.ts";
import type * as gathers from "./gather.ts";
import { type GatherScatterModeName, parseMode } from "./indexPlan.ts";
import type * as scatters from "./scatter.ts";

/** How exactly to multiply; devices that have one way only ignore it. */
export const Precision = { DEFAULT: "default", HIGH: "high", HIGHEST: "highest" } as const;
export type Precision = (typeof Precision)[keyof typeof Precision];
/** What `precision` options take: a `Precision`, one for each operand, or null. */
export type PrecisionLike = contract.Precision;

/** What happens to indices out of bounds; `fill` reads a fill value, and drops what is written. */
export const GatherScatterMode = {
  CLIP: "clip",
  FILL_OR_DROP: "fill",
  PROMISE_IN_BOUNDS: "promise_in_bounds",
  /** The mode that a string means; none is FILL_OR_DROP. @example lax.GatherScatterMode.fromAny("drop") // "fill" */
  fromAny: (mode: string | null): GatherScatterModeName => parseMode("GatherScatterMode.fromAny", mode, "fill"),
} as const;
export type GatherScatterMode = GatherScatterModeName;

type Lists = readonly (readonly number[])[];

/** Fields given in order or by name in one object; each a list of integers, the first `required` ones needed. */
function fields(name: string, names: readonly string[], required: number, args: readonly unknown[]): Lists {
  const given = readOptions<Record<string, readonly number[]>>(name, names, names.length, args);
  return names.map((field, i) => {
    const list = given[field] ?? (i < required ? null : []);
    if (list) return integers(name, field, list);
    throw new ArgumentError("MissingField", {
      what: `${name}: ${field} is missing`,
      why: "it says how axes relate, and has no default",
      fix: `pass { ${names.slice(0, required).join(", ")} }, lists of axes`,
    });
  });
}

export type GatherDimensionNumbers = gathers.GatherDimensionNumbers;
/**
 * How the axes of operand, indices and result of a gather relate. Fields in JAX's order, or in one object.
 *
 * @example
 * lax.GatherDimensionNumbers({ offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] }).startIndexMap // [0]
 */
export function GatherDimensionNumbers(
  ...args: readonly (readonly number[])[] | readonly [GatherDimensionNumbers]
): Required<GatherDimensionNumbers> {
  const names = [
    "offsetDims",
    "collapsedSliceDims",
    "startIndexMap",
    "operandBatchingDims",
    "startIndicesBatchingDims",
  ];
  const [offsetDims, collapsedSliceDims, startIndexMap, operandBatchingDims, startIndicesBatchingDims] = fields(
    "GatherDimensionNumbers",
    names,
    3,
    args,
  ) as [number[], number[], number[], number[], number[]];
  return { offsetDims, collapsedSliceDims, startIndexMap, operandBatchingDims, startIndicesBatchingDims };
}

export type ScatterDimensionNumbers = scatters.ScatterDimensionNumbers;
/** How the axes of operand, indices and updates of a scatter relate. Fields in JAX's order, or in one object. */
export function ScatterDimensionNumbers(
  ...args: readonly (readonly number[])[] | readonly [ScatterDimensionNumbers]
): Required<ScatterDimensionNumbers> {
  const names = [
    "updateWindowDims",
    "insertedWindowDims",
    "scatterDimsToOperandDims",
    "operandBatchingDims",
    "scatterIndicesBatchingDims",
  ];
  const [
    updateWindowDims,
    insertedWindowDims,
    scatterDimsToOperandDims,
    operandBatchingDims,
    scatterIndicesBatchingDims,
  ] = fields("ScatterDimensionNumbers", names, 3, args) as [number[], number[], number[], number[], number[]];
  return {
    updateWindowDims,
    insertedWindowDims,
    scatterDimsToOperandDims,
    operandBatchingDims,
    scatterIndicesBatchingDims,
  };
}

export type ConvDimensionNumbers = conv.ConvDimensionNumbers;
/** What convolutions take: three strings, a `ConvDimensionNumbers`, or null. */
export type ConvGeneralDilatedDimensionNumbers = conv.ConvDimensions;
/** The axes of operand, kernel and result in the order (batch, feature, spatial…) and (out, in, spatial…). */
export function ConvDimensionNumbers(
  ...args: readonly (readonly number[])[] | readonly [ConvDimensionNumbers]
): ConvDimensionNumbers {
  const names = ["lhsSpec", "rhsSpec", "outSpec"];
  const [lhsSpec, rhsSpec, outSpec] = fields("ConvDimensionNumbers", names, 3, args) as [number[], number[], number[]];
  return { lhsSpec, rhsSpec, outSpec };
}

export type DotDimensionNumbers = contract.DotDimensionNumbers;
/**
 * Which axes of a product are contracted, and which run together.
 *
 * @example
 * lax.dotGeneral(np.ones([2, 3]), np.ones([3, 1]), lax.DotDimensionNumbers([[1], [0]])) // [[3], [3]]
 */
export function DotDimensionNumbers(
  contracting: readonly [lhs: readonly number[], rhs: readonly number[]],
  batch: readonly [lhs: readonly number[], rhs: readonly number[]] = [[], []],
): DotDimensionNumbers {
  for (const [what, pair] of Object.entries({ contracting, batch })) {
    const isPair = Array.isArray(pair) && !isOptions(pair) && pair.length === 2;
    if (isPair && pair.every((list: unknown) => Array.isArray(list)) && pair[0].length === pair[1].length) {
      for (const list of pair) integers("DotDimensionNumbers", `${what} axes`, list);
      continue;
    }
    throw new ArgumentError("DotDimensionNumbers", {
      what: `DotDimensionNumbers: the ${what} axes must be two equally long lists`,
      why: "axes of the two operands go together in pairs",
      fix: "for a matrix product write DotDimensionNumbers([[1], [0]])",
    });
  }
  return [contracting, batch];
}

/** An array whose elements may be anything; they are zeros here. */
export const empty = (shape: readonly number[], dtype: DType): NDArray => full(shape, 0, dtype);
