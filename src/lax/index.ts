/** `cotangent/lax`: the primitives as functions, control flow, collectives and callbacks. */
import "../backends/install.ts";
import { interpreters } from "../transforms/interpreters.ts";
import {
  type CustomLinearSolve,
  type CustomRoot,
  makeCustomLinearSolve,
  makeCustomRoot,
} from "./control/linearSolve.ts";
import { type MapFunction, makeMap } from "./control/map.ts";

export {
  RoundingMethod,
  abs,
  add,
  cbrt,
  ceil,
  clamp,
  div,
  floor,
  integerPow,
  isFinite,
  max,
  min,
  mul,
  neg,
  nextafter,
  pow,
  reciprocal,
  rem,
  round,
  rsqrt,
  sign,
  sqrt,
  square,
  sub,
} from "./arithmetic.ts";
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cos,
  cosh,
  exp,
  exp2,
  expm1,
  log,
  log1p,
  logistic,
  sin,
  sinh,
  tan,
  tanh,
} from "./elementary.ts";
export { digamma, erf, erfInv, erfc, lgamma, polygamma, zeta } from "./special.ts";
export { besselI0e, besselI1e } from "./bessel.ts";
export { betainc, igamma, igammac, igammaGradA, randomGammaGrad } from "./incomplete.ts";
export { complex, conj, imag, real } from "./complex.ts";
export { eq, ge, gt, le, lt, ne, select, selectN } from "./compare.ts";
export {
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  clz,
  populationCount,
  shiftLeft,
  shiftRightArithmetic,
  shiftRightLogical,
} from "./bitwise.ts";
export { bitcastConvertType, convertElementType, reducePrecision } from "./cast.ts";
export {
  argmax,
  argmin,
  reduceAnd,
  reduceMax,
  reduceMin,
  reduceOr,
  reduceProd,
  reduceSum,
  reduceXor,
} from "./reduce.ts";
export { cumlogsumexp, cummax, cummin, cumprod, cumsum } from "./cumulative.ts";
export {
  broadcast,
  broadcastInDim,
  broadcastShapes,
  broadcastToRank,
  broadcastedIota,
  dtype,
  full,
  fullLike,
  iota,
  onesLike,
  zerosLike,
} from "./creation.ts";
export {
  collapse,
  concatenate,
  expandDims,
  indexInDim,
  pad,
  reshape,
  rev,
  slice,
  sliceInDim,
  split,
  squeeze,
  stack,
  tile,
  transpose,
  unstack,
} from "./movement.ts";
export {
  dynamicIndexInDim,
  dynamicSlice,
  dynamicSliceInDim,
  dynamicUpdateIndexInDim,
  dynamicUpdateSlice,
  dynamicUpdateSliceInDim,
} from "./dynamicSlice.ts";
export { gather } from "./gather.ts";
export {
  type ConvGeneralDilatedDimensionNumbers,
  ConvDimensionNumbers,
  DotDimensionNumbers,
  GatherDimensionNumbers,
  GatherScatterMode,
  Precision,
  type PrecisionLike,
  ScatterDimensionNumbers,
  empty,
} from "./dimensionNumbers.ts";
export { scatter, scatterAdd, scatterMax, scatterMin, scatterMul, scatterSub } from "./scatter.ts";
export { scatterApply } from "./scatterApply.ts";
export { sort, sortKeyVal, topK } from "./sort.ts";
export { batchMatmul, dot, dotGeneral } from "./contract.ts";
export { conv, convGeneralDilated, convTranspose, convWithGeneralPadding } from "./conv.ts";
export {
  convDimensionNumbers,
  convGeneralPermutations,
  convGeneralShapeTuple,
  convShapeTuple,
  convTransposeShapeTuple,
} from "./convDimensions.ts";
export { convGeneralDilatedLocal, convGeneralDilatedPatches } from "./convPatches.ts";
export { padtypeToPads } from "./windowGeometry.ts";
export { reduce, reduceWindow } from "./reduceWindow.ts";
export { type ScanOptions, foriLoop, scan, whileLoop } from "./control/loops.ts";
export { cond, switch_ } from "./control/branches.ts";
export { associativeScan, type AssociativeScanOptions } from "./control/associativeScan.ts";
export {
  allGather,
  allToAll,
  axisIndex,
  axisSize,
  pmax,
  pmean,
  pmin,
  ppermute,
  psum,
  psumScatter,
} from "./collectives.ts";
export { ioCallback, pureCallback } from "./callback.ts";
export { optimizationBarrier } from "../core/barrier.ts";
export { stopGradient } from "../transforms/scopes.ts";

// Those that need an interpreter when they are called, not only inside rules.
export const map: MapFunction = /* @__PURE__ */ makeMap(interpreters);
export const customLinearSolve: CustomLinearSolve = /* @__PURE__ */ makeCustomLinearSolve(interpreters);
export const customRoot: CustomRoot = /* @__PURE__ */ makeCustomRoot(interpreters);
