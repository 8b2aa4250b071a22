/** Hypergeometric series of whole arrays, and their derivatives in the parameters. */
import type { NDArray } from "../../core/ndarray.ts";
import { convert } from "../../core/structural.ts";
import * as lax from "../../lax/index.ts";
import * as np from "../../numpy/index.ts";
import { steps } from "../operands.ts";
import { gammasgn } from "./gamma.ts";
import { scalarLiteral } from "../../core/operands.ts";

export interface Parameters {
  readonly upper: readonly NDArray[];
  readonly lower: readonly NDArray[];
}
export interface Sum {
  readonly value: NDArray;
  /** The derivative in the given direction of the parameters; the value's terms where none was given. */
  readonly slope: NDArray;
}
interface Options {
  /** Which elements are wanted. Others do not keep the loop going. */
  readonly where: NDArray;
  /** The first term. Default 1. */
  readonly first?: NDArray;
  /** How the parameters move: one for each. */
  readonly direction?: Parameters;
  /** Whether the series diverges in the end, and is cut off at its smallest term. */
  readonly asymptotic?: boolean;
}

const epsilon = (x: NDArray): number => steps(x, 2 ** -25, 2 ** -54);
const maxSteps = (x: NDArray): number => steps(x, 4_000, 100_000);
const product = (xs: readonly NDArray[], one: NDArray): NDArray => xs.reduce((y, x) => np.multiply(y, x), one);
const or = (...ps: NDArray[]): NDArray => ps.reduce((p, q) => np.logicalOr(p, q));

/** Whether x is one of 0, −1, −2, …: where Γ has poles, and series with such an upper parameter end. */
export const isPole = (x: NDArray): NDArray => np.logicalAnd(np.lessEqual(x, 0), np.equal(x, np.floor(x)));

/** Σ Π (upper)_k / Π (lower)_k z^k / k!, until every wanted element has converged. */
export function hypergeometric(parameters: Parameters, z: NDArray, options: Options): Sum {
  const { upper, lower } = parameters;
  const { where, direction, asymptotic = false } = options;
  const one = np.onesLike(z);
  const first = options.first ?? one;
  // Before this index terms may be small without being the last ones.
  const hump = np.negative([...upper, ...lower].reduce((x, y) => np.minimum(x, y)));
  const moving = direction === undefined ? [] : [...direction.upper, ...direction.lower.map((d) => np.negative(d))];
  type State = readonly [k: NDArray, live: NDArray, term: NDArray, sum: NDArray, slopeTerm: NDArray, slope: NDArray];
  const start: State = [scalarLiteral(0, "int32"), where, first, first, np.zerosLike(z), np.zerosLike(z)];
  const [, , , value, , slope] = lax.whileLoop(
    ([k, live]: State) => np.logicalAnd(np.less(k, maxSteps(z)), np.any(live)),
    ([k, live, term, sum, slopeTerm, slope]: State): State => {
      const n = convert(k, z.dtype);
      const tops = upper.map((u) => np.add(u, n));
      const bottoms = lower.map((l) => np.add(l, n));
      const step = np.divide(z, np.multiply(np.add(n, 1), product(bottoms, one)));
      const next = np.multiply(term, np.multiply(product(tops, one), step));
      const grows = np.greater(np.abs(next), np.abs(term));
      const more = np.greater(np.abs(next), np.multiply(np.abs(sum), epsilon(z)));
      const before = np.logicalAnd(np.less(n, hump), np.notEqual(next, 0));
      let far = asymptotic ? np.logicalAnd(more, np.logicalNot(grows)) : or(more, grows, before);
      const keep = (to: NDArray, from: NDArray): NDArray =>
        np.where(asymptotic ? np.logicalAnd(live, far) : live, to, from);
      let [nextSlope, slopeSum] = [slopeTerm, slope];
      if (direction !== undefined) {
        // The product rule; of a zero factor its own derivative remains.
        const factors = [...tops, ...bottoms];
        const changes = moving.map((d, i) => {
          if (i >= tops.length) return np.divide(np.multiply(next, d), factors[i]!);
          const others = tops.filter((_, j) => j !== i);
          return np.multiply(np.multiply(np.multiply(term, d), product(others, one)), step);
        });
        nextSlope = changes.reduce(
          (x, y) => np.add(x, y),
          np.multiply(slopeTerm, np.multiply(product(tops, one), step)),
        );
        slopeSum = np.add(slope, nextSlope);
        const bent = np.greater(np.abs(nextSlope), np.multiply(np.abs(slopeSum), epsilon(z)));
        if (!asymptotic) far = or(far, bent);
      }
      const state = [keep(next, term), keep(np.add(sum, next), sum), keep(nextSlope, slopeTerm), keep(slopeSum, slope)];
      return [np.add(k, 1), np.logicalAnd(live, far), ...state] as unknown as State;
    },
    start,
  );
  return { value, slope };
}

/**
 * log |Π Γ(top) / Π Γ(bottom)|, and the sign; zero where a bottom one is at a pole. All are the steps of one loop, because the
 * function is a long one and would else be compiled for each.
 */
export function gammaQuotient(
  top: readonly NDArray[],
  bottom: readonly NDArray[],
): { readonly logarithm: NDArray; readonly sign: NDArray } {
  const below = np.stack(bottom);
  const poles = isPole(below);
  const all = np.concatenate([np.stack(top), np.where(poles, 1, below)]);
  const weights = np.array([...top.map(() => 1), ...bottom.map(() => -1)], { dtype: all.dtype });
  const logarithm = np.tensordot(weights, lax.map(lax.lgamma, all), 1);
  const sign = np.where(np.any(poles, { axis: 0 }), 0, np.prod(gammasgn(all), { axis: 0 }));
  return { logarithm, sign };
}

/** The product of a quotient of gamma functions and a power of e, in two halves, which overflow later than the whole. */
export function scaledBy({ logarithm, sign }: ReturnType<typeof gammaQuotient>, exponent: NDArray): NDArray {
  const half = np.exp(np.multiply(0.5, np.add(logarithm, exponent)));
  return np.multiply(sign, np.multiply(half, half));
}
