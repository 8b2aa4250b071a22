/**
 * Comparisons and selection. Comparisons give bool and have zero derivative; NaN is unequal to everything. Equality also
 * works on complex numbers and PRNG keys.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { type Aval, avalsEqual } from "../core/aval.ts";
import { isBool, isInteger } from "../core/dtype.ts";
import { type HostArray, allocateLike, lanesOf } from "../core/hostArray.ts";
import type { Operand, Value } from "../core/lowering.ts";
import { comparable, pointwise, zipLanes } from "../core/lowerRules.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray, asIndex } from "../core/operands.ts";
import {
  type AnyPrimitive,
  type Many,
  type Primitive,
  type Tangent,
  type TransposeOperand,
  type Two,
  Zero,
  definePrimitive,
  isLinear,
} from "../core/primitive.ts";
import { ArgumentError, DTypeError } from "../core/problem.ts";
import { type CompareOp, type Expr, both, compare, isNaNExpr, like, not, select as choose } from "../core/scalar.ts";
import { broadcastTo } from "../core/structural.ts";
import { bind1 } from "../core/trace.ts";
import {
  type Accepts,
  type BinarySpec,
  type PairLoop,
  anything,
  batchElementwise,
  binary,
  literalLike,
  operandsOf,
  ordered,
  pairOf,
  piecewiseConstant,
  resultAval,
  sameDTypes,
  unbroadcast,
} from "./rules.ts";
import { unit } from "../core/unit.ts";

// ---------------------------------------------------------------- comparisons

const comparison = (
  name: CompareOp,
  accepts: Accepts,
  loop: PairLoop,
  ofPairs: Pick<BinarySpec, "complexLoop" | "complexLower"> = {},
): Primitive<Two, null> =>
  binary({
    name,
    accepts,
    loop,
    result: "bool",
    lower: (x, y) => lowerComparison(name, x, y),
    derivatives: piecewiseConstant,
    ...ofPairs,
  });

/** Code that looks for NaN by x ≠ x gets a test that devices cannot take away. */
function lowerComparison(name: CompareOp, x: Expr, y: Expr): Expr {
  if (x === y && name === "ne" && (x.type === "f32" || x.type === "f64")) return isNaNExpr(x);
  return compare(name, comparable(x), comparable(y));
}

/** Equality of elements of two numbers. */
const bothEqual = (equal: number): Pick<BinarySpec, "complexLoop" | "complexLower"> => ({
  complexLoop: (out, a, b, sa, sb) => {
    for (let i = 0, p = 0, q = 0; i < out.length; i++, p += 2 * sa, q += 2 * sb)
      out[i] = a[p] === b[q] && a[p + 1] === b[q + 1] ? equal : 1 - equal;
  },
  complexLower: (x, y) => {
    const same = both(compare("eq", x[0]!, y[0]!), compare("eq", x[1]!, y[1]!));
    return [equal ? same : not(same)];
  },
});
const eqLoop: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = Number(a[p] === b[q]);
};
const neLoop: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = Number(a[p] !== b[q]);
};
const ltLoop: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = Number(a[p]! < b[q]!);
};
const leLoop: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = Number(a[p]! <= b[q]!);
};
const gtLoop: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = Number(a[p]! > b[q]!);
};
const geLoop: PairLoop = (out, a, b, sa, sb) => {
  for (let i = 0, p = 0, q = 0; i < out.length; i++, p += sa, q += sb) out[i] = Number(a[p]! >= b[q]!);
};

export const eqP: Primitive<Two, null> = /* @__PURE__ */ comparison(
  "eq",
  anything,
  eqLoop,
  /* @__PURE__ */ bothEqual(1),
);
export const neP: Primitive<Two, null> = /* @__PURE__ */ comparison(
  "ne",
  anything,
  neLoop,
  /* @__PURE__ */ bothEqual(0),
);
export const ltP: Primitive<Two, null> = /* @__PURE__ */ comparison("lt", ordered, ltLoop);
export const leP: Primitive<Two, null> = /* @__PURE__ */ comparison("le", ordered, leLoop);
export const gtP: Primitive<Two, null> = /* @__PURE__ */ comparison("gt", ordered, gtLoop);
export const geP: Primitive<Two, null> = /* @__PURE__ */ comparison("ge", ordered, geLoop);

export const eqArrays = (x: NDArray, y: NDArray): NDArray => bind1(eqP, [x, y], null);
export const neArrays = (x: NDArray, y: NDArray): NDArray => bind1(neP, [x, y], null);
export const ltArrays = (x: NDArray, y: NDArray): NDArray => bind1(ltP, [x, y], null);
export const leArrays = (x: NDArray, y: NDArray): NDArray => bind1(leP, [x, y], null);
export const gtArrays = (x: NDArray, y: NDArray): NDArray => bind1(gtP, [x, y], null);
export const geArrays = (x: NDArray, y: NDArray): NDArray => bind1(geP, [x, y], null);

export const eq = (x: ArrayLike, y: ArrayLike): NDArray => bind1(eqP, pairOf("eq", x, y), null);
export const ne = (x: ArrayLike, y: ArrayLike): NDArray => bind1(neP, pairOf("ne", x, y), null);
export const lt = (x: ArrayLike, y: ArrayLike): NDArray => bind1(ltP, pairOf("lt", x, y), null);
export const le = (x: ArrayLike, y: ArrayLike): NDArray => bind1(leP, pairOf("le", x, y), null);
export const gt = (x: ArrayLike, y: ArrayLike): NDArray => bind1(gtP, pairOf("gt", x, y), null);
export const ge = (x: ArrayLike, y: ArrayLike): NDArray => bind1(geP, pairOf("ge", x, y), null);

// ---------------------------------------------------------------- selection

/** Operands: which, then the cases. A boolean picks between two; an integer beyond the last case picks the last. */
export const selectNP: Primitive<Many, null> = /* @__PURE__ */ definePrimitive<Many, null>({
  name: "select_n",
  kind: "elementwise",
  infer: (ins) => [inferSelect(ins)],
  reference: (ins, _, [out]) => [selectHost(ins, out!)],
  jvp: (xs, gs) => {
    const y = bind1(selectNP, xs, null);
    const tangents: readonly Tangent[] = gs.slice(1);
    if (tangents.every((t): boolean => t instanceof Zero)) return { primals: [y], tangents: [new Zero(y.aval)] };
    const cases = tangents.map((t, i) => (t instanceof Zero ? literalLike(xs[i + 1]!, 0) : t));
    return { primals: [y], tangents: [broadcastTo(bind1(selectNP, [xs[0]!, ...cases], null), y.shape)] };
  },
  transpose: ([ct], operands) => {
    const [which, ...cases] = operands;
    return [null, ...cases.map((c, i) => caseCotangent(ct as NDArray, which as NDArray, c, i))];
  },
  batch: (xs, dims, _, { size }) => batchElementwise(selectNP, xs, dims, null, size),
  simplify: ([, ...cases], _, [out]) =>
    cases.every((c) => c === cases[0]) && avalsEqual(cases[0]!.aval, out!) ? cases[0]! : null,
  lower: (ins: readonly Operand[]) => ({
    ...pointwise(ins, ([which], ...cases) => chosenCase(which!, cases)),
    narrow: ([which, ...cases]) => [selectOneByOne(which!, cases)],
  }),
});

/** The same with two cases at a time. */
const selectOneByOne = (which: NDArray, cases: readonly NDArray[]): NDArray =>
  cases.reduceRight((later, earlier, i) =>
    bind1(selectNP, [bind1(leP, [which, literalLike(which, i)], null), later, earlier], null),
  );

/** The case that a number names; below the first it is the first, beyond the last the last. */
function chosenCase(which: Expr, cases: readonly Value[]): Value {
  const number = comparable(which);
  return cases.reduceRight((later, earlier, i) => {
    const here = compare("le", number, like(number, i));
    return zipLanes(earlier, later, (a, b) => choose(which.type === "bool" ? not(which) : here, a, b));
  });
}

function inferSelect(ins: readonly Aval[]): Aval {
  const [which, ...cases] = ins;
  const first = cases[0];
  if (!which || !first)
    throw new ArgumentError("NoCases", {
      what: "selectN: there is no case to select from",
      why: "selectN takes which, then at least one case",
      fix: "call lax.selectN(which, onFalse, onTrue)",
    });
  if (!(isBool(which.dtype) && cases.length <= 2) && !isInteger(which.dtype)) throw badSelector(which, cases.length);
  if (cases.some((c) => c.dtype !== first.dtype)) throw sameDTypes("select", cases);
  const { shape } = resultAval("select", ins, first.dtype);
  return resultAval("select", [first.withShape(shape), ...cases], first.dtype);
}

const badSelector = (which: Aval, cases: number): DTypeError =>
  new DTypeError("BadSelector", {
    what: `select: ${String(which)} cannot choose between ${cases} cases`,
    why: "a boolean chooses between two cases, an integer between any number",
    fix: isBool(which.dtype) ? "convert the selector to int32" : "give a comparison such as numpy.greater(x, 0)",
  });

function selectHost([which, ...cases]: readonly HostArray[], aval: Aval): HostArray {
  const out = allocateLike(aval);
  const lanes = lanesOf(out.dtype);
  const size = out.data.length / lanes;
  const last = cases.length - 1;
  const steps = cases.map((c) => (c.shape.length === 0 ? 0 : lanes));
  const data = cases.map((c) => c.data);
  const step = which!.shape.length === 0 ? 0 : 1;
  for (let i = 0; i < size; i++) {
    const k = Math.min(Math.max(which!.data[i * step]!, 0), last);
    const from = data[k]!;
    const p = i * steps[k]!;
    for (let l = 0; l < lanes; l++) out.data[i * lanes + l] = from[p + l]!;
  }
  return out;
}

/** The cotangent goes to the case that was chosen. */
function caseCotangent(ct: NDArray, which: NDArray, c: TransposeOperand, i: number): NDArray | null {
  if (!isLinear(c)) return null;
  const zero = literalLike(ct, 0);
  const chosen = isBool(which.dtype)
    ? bind1(selectNP, i === 0 ? [which, ct, zero] : [which, zero, ct], null)
    : bind1(selectNP, [eq(which, literalLike(which, i)), zero, ct], null);
  return unbroadcast(chosen, c.aval);
}

export const selectArrays = (which: NDArray, onTrue: NDArray, onFalse: NDArray): NDArray =>
  bind1(selectNP, [which, onFalse, onTrue], null);

/** Element by element `onTrue` where `pred`, else `onFalse`. */
export function select(pred: ArrayLike, onTrue: ArrayLike, onFalse: ArrayLike): NDArray {
  const [t, f] = pairOf("select", onTrue, onFalse);
  return selectArrays(asArray(pred, "select"), t, f);
}

/** Element by element the case whose number is `which`; false is 0 and true is 1. */
export const selectN = /* @__PURE__ */ unit(
  "selectN",
  1,
  function selectN(which: ArrayLike, ...cases: readonly ArrayLike[]): NDArray {
    const w = typeof which === "boolean" ? asArray(which) : asIndex(which, "selectN");
    const arrays =
      cases.length > 0 && cases.every((c) => c instanceof NDArray && c.dtype === "key<fry>")
        ? (cases as NDArray[])
        : operandsOf("selectN", cases);
    return bind1(selectNP, [w, ...arrays], null);
  },
);

export const primitives: readonly AnyPrimitive[] = [eqP, neP, ltP, leP, gtP, geP, selectNP];
