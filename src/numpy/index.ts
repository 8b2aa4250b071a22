import "./install.ts";
import "../backends/install.ts";

export { NDArray as Array, NDArray as ndarray, type NDArray } from "../core/ndarray.ts";
export type { ArrayLike, Axis, DType, IndexItem, IndexMode, IndexUpdate, Nested } from "./types.ts";
// constants and dtypes
export {
  bfloat16,
  bool_,
  bool_ as bool,
  canCast,
  cdouble,
  complex128,
  complex64,
  complex_,
  complexfloating,
  csingle,
  double,
  dtype,
  e,
  eulerGamma,
  finfo,
  float16,
  float32,
  float64,
  float_,
  floating,
  generic,
  iinfo,
  inexact,
  inf,
  int16,
  int32,
  int64,
  int8,
  int_,
  integer,
  iscomplexobj,
  isdtype,
  isrealobj,
  isscalar,
  issubdtype,
  nan,
  newaxis,
  number,
  pi,
  promoteTypes,
  resultType,
  signedinteger,
  single,
  uint,
  uint16,
  uint32,
  uint64,
  uint8,
  unsignedinteger,
} from "./dtypes.ts";
// creation
export {
  arange,
  array,
  asarray,
  astype,
  copy,
  empty,
  emptyLike,
  full,
  fullLike,
  geomspace,
  linspace,
  logspace,
  ones,
  onesLike,
  zeros,
  zerosLike,
} from "./creation.ts";
// creation from buffers and text
export { frombuffer, fromiter, fromstring } from "./buffers.ts";
// grids
export { eye, fromfunction, identity, indices, meshgrid } from "./grids.ts";
// arithmetic
export {
  abs,
  absolute,
  add,
  clip,
  divide,
  divmod,
  fabs,
  floatPower,
  floorDivide,
  fmax,
  fmin,
  fmod,
  heaviside,
  hypot,
  maximum,
  minimum,
  mod,
  multiply,
  negative,
  positive,
  pow,
  power,
  reciprocal,
  remainder,
  sign,
  square,
  subtract,
  trueDivide,
} from "./arithmetic.ts";
// elementary functions
export {
  acos,
  acosh,
  arccos,
  arccosh,
  arcsin,
  arcsinh,
  arctan,
  arctan2,
  arctanh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cbrt,
  cos,
  cosh,
  deg2rad,
  degrees,
  exp,
  exp2,
  expm1,
  log,
  log10,
  log1p,
  log2,
  logaddexp,
  logaddexp2,
  rad2deg,
  radians,
  sin,
  sinc,
  sinh,
  sqrt,
  tan,
  tanh,
} from "./elementary.ts";
// make-up of numbers
export {
  angle,
  around,
  ceil,
  conj,
  conjugate,
  copysign,
  floor,
  frexp,
  gcd,
  imag,
  lcm,
  ldexp,
  modf,
  nanToNum,
  nextafter,
  real,
  rint,
  round,
  signbit,
  spacing,
  trunc,
} from "./floats.ts";
// logic
export {
  allclose,
  arrayEqual,
  arrayEquiv,
  bitwiseAnd,
  bitwiseCount,
  bitwiseInvert,
  bitwiseLeftShift,
  bitwiseNot,
  bitwiseOr,
  bitwiseRightShift,
  bitwiseXor,
  equal,
  greater,
  greaterEqual,
  invert,
  isclose,
  iscomplex,
  isfinite,
  isinf,
  isnan,
  isneginf,
  isposinf,
  isreal,
  leftShift,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
  rightShift,
} from "./logic.ts";
// choice
export { choose, select, where } from "./select.ts";
// reductions
export {
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  average,
  countNonzero,
  max,
  mean,
  min,
  prod,
  ptp,
  std,
  sum,
  var_,
} from "./reduce.ts";
// reductions without NaN
export { nanargmax, nanargmin, nanmax, nanmean, nanmin, nanprod, nanstd, nansum, nanvar } from "./nanReduce.ts";
// quantiles
export { median, nanmedian, nanpercentile, nanquantile, percentile, quantile } from "./quantile.ts";
// running sums
export { cumprod, cumsum, cumulativeProd, cumulativeSum, nancumprod, nancumsum } from "./cumulative.ts";
// shape
export {
  atleast1d,
  atleast2d,
  atleast3d,
  broadcastArrays,
  broadcastShapes,
  broadcastTo,
  expandDims,
  flip,
  fliplr,
  flipud,
  matrixTranspose,
  moveaxis,
  ndim,
  permuteDims,
  ravel,
  reshape,
  resize,
  roll,
  rollaxis,
  rot90,
  shape,
  size,
  squeeze,
  swapaxes,
  tile,
  transpose,
} from "./shape.ts";
// joining and splitting
export {
  append,
  arraySplit,
  block,
  columnStack,
  concat,
  concatenate,
  dsplit,
  dstack,
  hsplit,
  hstack,
  split,
  stack,
  unstack,
  vsplit,
  vstack,
} from "./join.ts";
// repetition, insertion
export { delete_, insert, repeat, trimZeros } from "./repeat.ts";
// padding
export { pad } from "./pad.ts";
// diagonals and triangles
export {
  diag,
  diagflat,
  diagIndices,
  diagIndicesFrom,
  diagonal,
  fillDiagonal,
  maskIndices,
  trace,
  tri,
  tril,
  trilIndices,
  trilIndicesFrom,
  triu,
  triuIndices,
  triuIndicesFrom,
} from "./triangles.ts";
// positions and picking
export { argwhere, compress, extract, flatnonzero, nonzero } from "./nonzero.ts";
// take
export { place, put, putAlongAxis, take, takeAlongAxis } from "./take.ts";
// flat positions and bits
export {
  c_,
  indexExp,
  ix_,
  mgrid,
  ogrid,
  packbits,
  r_,
  ravelMultiIndex,
  s_,
  unpackbits,
  unravelIndex,
} from "./positions.ts";
// sorting
export { argpartition, argsort, lexsort, partition, sort, sortComplex, topK } from "./sorting.ts";
// searching, counting, histograms
export { bincount, digitize, histogram, histogram2d, histogramBinEdges, histogramdd, searchsorted } from "./search.ts";
// sets
export {
  intersect1d,
  isin,
  setdiff1d,
  setxor1d,
  union1d,
  unique,
  uniqueAll,
  uniqueCounts,
  uniqueInverse,
  uniqueValues,
} from "./sets.ts";
// products
export { cross, dot, inner, kron, matmul, matvec, outer, tensordot, vdot, vecdot, vecmat } from "./contract.ts";
// Einstein summation
export { einsum, einsumPath } from "./einsum.ts";
// functions along axes
export { applyAlongAxis, applyOverAxes, piecewise, vectorize } from "./apply.ts";
// differences
export { diff, ediff1d, gradient, trapezoid, unwrap } from "./differences.ts";
// interpolation
export { interp } from "./interpolate.ts";
// statistics
export { convolve, corrcoef, correlate, cov } from "./statistics.ts";
// polynomials and windows
export {
  bartlett,
  blackman,
  hamming,
  hanning,
  i0,
  kaiser,
  poly,
  polyadd,
  polyder,
  polydiv,
  polyint,
  polymul,
  polysub,
  polyval,
  vander,
} from "./polynomial.ts";
// printing
export { arrayRepr, arrayStr, getPrintoptions, printoptions, setPrintoptions } from "./print.ts";
