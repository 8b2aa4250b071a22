/** Dropout (Srivastava et al., 2014). */
import { ArgumentError } from "../../core/problem.ts";
import * as np from "../../numpy/index.ts";
import * as random from "../../random/index.ts";
import { type Layer, type None, requireKey, stateless } from "./layer.ts";

export interface DropoutOptions {
  /** Axes along which all numbers are dropped together, such as the places of a channel. Default none. */
  readonly broadcastDims?: readonly number[] | undefined;
}

/**
 * In training replaces each number by 0 with a probability, and divides the others by what is left of 1, so that their mean
 * stays. Otherwise does nothing.
 *
 * @param rate the probability, 0 … 1.
 * @example
 * const half = nn.dropout(0.5);
 * half.apply({}, {}, np.ones(4))[0] // [1, 1, 1, 1]
 */
export function dropout(rate: number, { broadcastDims = [] }: DropoutOptions = {}): Layer<None, None> {
  if (!(rate >= 0 && rate <= 1))
    throw new ArgumentError("DropoutRate", {
      what: `nn.dropout: the rate is ${String(rate)}`,
      why: "it is the probability with which a number is dropped",
      fix: "pass a number from 0 to 1",
    });
  return stateless(
    "dropout",
    () => ({}),
    (_, x, { train = false, key }) => {
      if (!train || rate === 0) return x;
      if (rate === 1) return np.zerosLike(x);
      const axes = broadcastDims.map((a) => (a < 0 ? a + x.ndim : a));
      const shape = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
      const kept = random.bernoulli(requireKey("dropout", key), 1 - rate, shape);
      return np.where(kept, np.divide(x, 1 - rate), np.zerosLike(x));
    },
  );
}
