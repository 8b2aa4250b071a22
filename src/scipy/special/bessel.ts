/** Bessel functions of the first kind, and modified ones. */
import type { ArrayLike } from "../../core/arrayMethods.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { ArgumentError } from "../../core/problem.ts";
import { range } from "../../core/shape.ts";
import * as lax from "../../lax/index.ts";
import { type Rest, given, integer } from "../../numpy/arguments.ts";
import * as np from "../../numpy/index.ts";
import { customJvp } from "../../transforms/customJvp.ts";
import { unit } from "../../core/unit.ts";
import { floats, inComputeType } from "../operands.ts";

const read = (name: string, x: ArrayLike): NDArray => floats(`scipy.special.${name}`, [x])[0]!;
/** I(x) from e^−|x| I(x). */
const unscaled = (x: NDArray, scaled: NDArray): NDArray => np.multiply(np.exp(np.abs(x)), scaled);

/** e^−|x| I0(x). @example scipy.special.i0e(np.array([0, 2])) // [1, 0.30850834] */
export const i0e = (x: ArrayLike): NDArray => lax.besselI0e(read("i0e", x));

/** The function of order 0. @example scipy.special.i0(np.array([0, 2])) // [1, 2.2795851] */
export const i0 = /* @__PURE__ */ unit(
  "i0",
  1,
  function i0(x: ArrayLike): NDArray {
    const a = read("i0", x);
    return unscaled(a, lax.besselI0e(a));
  },
  { numbers: "inputs" },
);

/** e^−|x| I1(x). @example scipy.special.i1e(np.array([0, 2])) // [0, 0.21526929] */
export const i1e = (x: ArrayLike): NDArray => lax.besselI1e(read("i1e", x));

/** The function of order 1. @example scipy.special.i1(np.array([0, 2])) // [0, 1.5906368] */
export const i1 = /* @__PURE__ */ unit(
  "i1",
  1,
  function i1(x: ArrayLike): NDArray {
    const a = read("i1", x);
    return unscaled(a, lax.besselI1e(a));
  },
  { numbers: "inputs" },
);

// ---------------------------------------------------------------- J

/**
 * J_0 … J_v, by Miller's algorithm (DLMF 3.6(iii)), here for the quotients r_k = J_k / J_{k−1} = z / (2k − z r_{k+1}),
 * which neither overflow nor need a nonzero z. The scale is that of 1 = J_0 + 2 J_2 + 2 J_4 + ….
 */
function byQuotients(v: number, count: number, z: NDArray): NDArray {
  const indices = np.array(
    range(count + 1).map((i) => i + 1),
    { dtype: z.dtype },
  );
  type State = readonly [quotient: NDArray, even: NDArray];
  const [[, even], quotients] = lax.scan(
    ([quotient, tail]: State, k: NDArray): [State, NDArray] => {
      const divisor = np.subtract(np.multiply(2, k), np.multiply(z, quotient));
      const next = np.divide(z, np.where(np.equal(divisor, 0), 1e-20, divisor));
      const isEven = np.where(np.equal(np.mod(k, 2), 0), np.onesLike(k), 0);
      return [[next, np.multiply(next, np.add(tail, isEven))], next];
    },
    [np.zerosLike(z), np.zerosLike(z)] as State,
    indices,
    { reverse: true },
  );
  const lowest = np.expandDims(np.divide(1, np.add(1, np.multiply(2, even))), 0);
  return np.cumprod(np.concatenate([lowest, quotients.slice([0, v])]), { axis: 0 });
}

const besselOrders = /* @__PURE__ */ (() => {
  const f = customJvp(
    function besselJn(v: number, count: number, z: NDArray): NDArray {
      return inComputeType((x) => byQuotients(v, Math.max(count, v), x))(z);
    },
    { nondiffArgnums: [0, 1] },
  );
  // J_n' = (J_{n−1} − J_{n+1}) / 2, where J_{−1} = −J_1 (DLMF 10.6.1).
  f.defjvp((v: number, count: number, [z]: [NDArray], [dz]: [NDArray]) => {
    const orders = f(v + 1, count, z);
    const before = np.concatenate([np.negative(orders.slice([1, 2])), orders.slice([0, v])]);
    const slope = np.multiply(0.5, np.subtract(before, orders.slice([1, v + 2])));
    return [orders.slice([0, v + 1]), np.multiply(slope, np.expandDims(dz, 0))];
  });
  return f;
})();

export interface BesselJnOptions {
  /** The highest order, from 0. */
  readonly v: number;
  /** From how high an order the recurrence goes down. About |z| + 20 is enough for float32. Default 50. */
  readonly nIter?: number | undefined;
}
const besselProgram = /* @__PURE__ */ unit("besselJn", 1, (z: ArrayLike, v: number, count: number): NDArray => {
  return besselOrders(v, count, read("besselJn", z));
});
/**
 * The functions J_0 … J_v at z, along a new first axis.
 *
 * @example
 * scipy.special.besselJn(np.array([0, 1]), { v: 1 }) // [[1, 0.7651977], [0, 0.44005057]]
 */
export function besselJn(z: ArrayLike, ...rest: Rest<[], BesselJnOptions>): NDArray {
  const name = "scipy.special.besselJn";
  const options = given<BesselJnOptions>(name, ["v", "nIter"], 0, rest);
  const [v, count] = [integer(name, "the order v", options.v), integer(name, "nIter", options.nIter ?? 50)];
  if (v < 0 || count < v)
    throw new ArgumentError("BesselOrder", {
      what: `${name}: v is ${v} and nIter ${count}`,
      why: "orders from 0 to v are found on the way down from nIter",
      fix: "pass 0 ≤ v ≤ nIter",
    });
  return besselProgram(z, v, count);
}
