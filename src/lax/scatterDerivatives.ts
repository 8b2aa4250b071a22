/**
 * Derivatives of the scatters. `add` is linear in operand and updates. `set`, `min` and `max` choose among values, so
 * their tangents need to know which update won: they are computed with gathers that undo the scatter.
 */
import type { NDArray } from "../core/ndarray.ts";
import {
  type Each,
  type JvpResult,
  type Tangent,
  type Three,
  type TransposeOperand,
  Zero,
  isLinear,
} from "../core/primitive.ts";
import { DifferentiationError } from "../core/problem.ts";
import { sizeOf } from "../core/shape.ts";
import { broadcastTo, full, instantiate, reshape, zerosLike } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import { add, div, max, mul, sub } from "./arithmetic.ts";
import { eq, select } from "./compare.ts";
import { iota } from "./creation.ts";
import { type GatherParams, gatherP } from "./gather.ts";
import {
  type ScatterParams,
  type ScatterPrimitive,
  gatherDims,
  scatterAddP,
  scatterMulP,
  scatterP,
  scatterWindow,
} from "./scatter.ts";

type Arrays = Each<Three, NDArray>;
type Tangents = Each<Three, Tangent>;
type Operands = Each<Three, TransposeOperand>;

const shapeOf = (x: TransposeOperand): readonly number[] => x.aval.shape;

/** Reads, for every update, the element of `x` that it was written to; zero where it was dropped. */
function gatherBack(x: NDArray, indices: NDArray, updates: readonly number[], p: ScatterParams): NDArray {
  const params: GatherParams = {
    dimensionNumbers: gatherDims(p.dimensionNumbers),
    sliceSizes: scatterWindow(x.ndim, updates, p.dimensionNumbers),
    mode: p.mode,
    fillValue: p.mode === "fill" ? 0 : null,
    uniqueIndices: p.uniqueIndices,
    indicesAreSorted: p.indicesAreSorted,
  };
  return bind1(gatherP, [x, indices], params);
}

// ---------------------------------------------------------------- add

export function jvpAdd(primals: Arrays, [dx, , du]: Tangents, p: ScatterParams): JvpResult {
  return {
    primals: [bind1(scatterAddP, primals, p)],
    tangents: [bind1(scatterAddP, [instantiate(dx), primals[1], instantiate(du)], p)],
  };
}

export function transposeAdd(
  [ct]: readonly Tangent[],
  [x, indices, updates]: Operands,
  p: ScatterParams,
): readonly (Tangent | null)[] {
  const t = ct as NDArray;
  return [
    isLinear(x) ? t : null,
    null,
    isLinear(updates) ? gatherBack(t, indices as NDArray, updates.aval.shape, p) : null,
  ];
}

// ---------------------------------------------------------------- set

/**
 * With repeated indices only the update that won carries a tangent. Updates are numbered from 1, the numbers are
 * scattered like the updates, and gathered back: an update whose own number comes back has won.
 */
export function jvpSet(primals: Arrays, [dx, , du]: Tangents, p: ScatterParams): JvpResult {
  const [x, indices, updates] = primals;
  const out = bind1(scatterP, primals, p);
  if (p.uniqueIndices)
    return { primals: [out], tangents: [bind1(scatterP, [instantiate(dx), indices, instantiate(du)], p)] };
  const { kept, won } = winners(x, indices, updates, p);
  const operand = dx instanceof Zero ? zerosLike(x.aval) : select(kept, dx, zerosLike(x.aval));
  const masked = du instanceof Zero ? null : select(won, du, zerosLike(updates.aval));
  return { primals: [out], tangents: [masked ? bind1(scatterAddP, [operand, indices, masked], p) : operand] };
}

/** Which elements of the operand stay, and which updates end up in the result. */
function winners(x: NDArray, indices: NDArray, updates: NDArray, p: ScatterParams): { kept: NDArray; won: NDArray } {
  const shape = updates.shape.map((n, i) => (p.dimensionNumbers.updateWindowDims.includes(i) ? 1 : n));
  const numbers = add(reshape(iota("int32", sizeOf(shape)), shape), 1);
  const all = broadcastTo(numbers, updates.shape);
  const written = bind1(scatterP, [full(x.shape, 0, "int32"), indices, all], p);
  return { kept: eq(written, full(x.shape, 0, "int32")), won: eq(all, gatherBack(written, indices, updates.shape, p)) };
}

export function transposeSet(
  [ct]: readonly Tangent[],
  [x, indices, updates]: Operands,
  p: ScatterParams,
): readonly (Tangent | null)[] {
  if (!p.uniqueIndices) throw needsUnique("scatter");
  const t = ct as NDArray;
  const zeros = full(shapeOf(updates), 0, t.dtype);
  return [
    isLinear(x) ? bind1(scatterP, [t, indices as NDArray, zeros], p) : null,
    null,
    isLinear(updates) ? gatherBack(t, indices as NDArray, updates.aval.shape, p) : null,
  ];
}

const needsUnique = (name: string): DifferentiationError =>
  new DifferentiationError("RepeatedIndices", {
    what: `${name} was transposed in its updates without the promise that its indices are unique`,
    why: "with repeated indices it is not linear in the updates",
    fix: "pass { uniqueIndices: true } if no index occurs twice",
  });

// ---------------------------------------------------------------- mul

export function jvpMul(primals: Arrays, [dx, , du]: Tangents, p: ScatterParams): JvpResult {
  const [x, indices, updates] = primals;
  const out = bind1(scatterMulP, primals, p);
  const left: NDArray | null = dx instanceof Zero ? null : bind1(scatterMulP, [dx, indices, updates], p);
  if (du instanceof Zero) return { primals: [out], tangents: [left!] };
  const share = p.uniqueIndices ? gatherBack(x, indices, updates.shape, p) : otherFactors(x, indices, updates, p);
  const right = bind1(scatterAddP, [left ?? zerosLike(x.aval), indices, mul(du, share)], p);
  return { primals: [out], tangents: [right] };
}

/**
 * For each update, the product of the operand and all other updates to its place: the whole product divided by the
 * update, where zeros are left out of the product and counted instead.
 */
function otherFactors(x: NDArray, indices: NDArray, updates: NDArray, p: ScatterParams): NDArray {
  const [none, one] = [zerosLike(updates.aval), full(updates.shape, 1, updates.dtype)];
  const isZero = eq(updates, none);
  const nonzero = select(isZero, one, updates);
  const product = bind1(scatterMulP, [x, indices, nonzero], p);
  const count = bind1(scatterAddP, [zerosLike(x.aval), indices, select(isZero, one, none)], p);
  const others = eq(gatherBack(count, indices, updates.shape, p), select(isZero, one, none));
  return select(others, div(gatherBack(product, indices, updates.shape, p), nonzero), none);
}

export function transposeMul(
  [ct]: readonly Tangent[],
  [x, indices, updates]: Operands,
  p: ScatterParams,
): readonly (Tangent | null)[] {
  const t = ct as NDArray;
  if (isLinear(x)) return [bind1(scatterMulP, [t, indices as NDArray, updates as NDArray], p), null, null];
  if (!isLinear(updates)) return [null, null, null];
  if (!p.uniqueIndices) throw needsUnique("scatterMul");
  return [null, null, gatherBack(mul(t, x), indices as NDArray, updates.aval.shape, p)];
}

// ---------------------------------------------------------------- min, max

/** Values that tie for an extremum share its tangent equally, the operand's own value among them. */
export function jvpExtremum(
  prim: ScatterPrimitive,
  primals: Arrays,
  [dx, , du]: Tangents,
  p: ScatterParams,
): JvpResult {
  const [x, indices, updates] = primals;
  const out = bind1(prim, primals, p);
  const back = (y: NDArray): NDArray => gatherBack(y, indices, updates.shape, p);
  const added = (y: NDArray): NDArray => back(bind1(scatterAddP, [zerosLike(x.aval), indices, y], p));
  const [zero, one] = [zerosLike(updates.aval), full(updates.shape, 1, updates.dtype)];
  const target = back(out);
  const won = eq(updates, target);
  const retained = eq(back(x), target);
  const winners = added(select(won, one, zero));
  // Counts are at least one where it matters; elsewhere max keeps infinities out of what is masked or dropped.
  const share = div(one, select(retained, add(winners, one), max(winners, one)));
  const operandShare = div(sub(select(retained, share, zero), one), max(added(one), one));
  const [operand, update] = [instantiate(dx), instantiate(du)];
  const change = add(mul(back(operand), operandShare), mul(update, select(won, share, zero)));
  return { primals: [out], tangents: [bind1(scatterAddP, [operand, indices, change], p)] };
}
