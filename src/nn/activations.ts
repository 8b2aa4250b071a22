/**
 * Activation functions, elementwise but for `glu`. Where the plain derivative is wrong at a kink or overflows, the
 * function has a rule of its own, as in JAX.
 */
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { NDArray } from "../core/ndarray.ts";
import { asArray, promoteOperands } from "../core/operands.ts";
import { ShapeError } from "../core/problem.ts";
import { canonicalAxis, shapeText } from "../core/shape.ts";
import { readOptions } from "../lax/arguments.ts";
import * as lax from "../lax/index.ts";
import * as np from "../numpy/index.ts";
import { customJvp } from "../transforms/customJvp.ts";
import { unit } from "../core/unit.ts";

/** A floating point operand: integers become float32. */
const inexact = (name: string, x: ArrayLike): NDArray => promoteOperands(`nn.${name}`, [x], true)[0]!;

/** A parameter by position or by name. */
type Rest<O extends object, T = ArrayLike> = readonly [] | readonly [T | O];

/** An elementwise function with a derivative of its own: `(tangent, result, x) => tangent of the result`. */
function withDerivative(
  name: string,
  f: (x: NDArray) => NDArray,
  derivative: (g: NDArray, y: NDArray, x: NDArray) => NDArray,
): (x: ArrayLike) => NDArray {
  Object.defineProperty(f, "name", { value: name });
  const g = customJvp(f);
  g.defjvps(derivative);
  return unit(name, 1, (x: ArrayLike): NDArray => g(asArray(x, `nn.${name}`)));
}

// ---------------------------------------------------------------- rectifiers

/** max(x, 0), with derivative 0 at 0. @example nn.relu(np.array([-1, 0, 2])) // [0, 0, 2] */
export const relu: (x: ArrayLike) => NDArray = /* @__PURE__ */ withDerivative(
  "relu",
  (x) => np.maximum(x, 0),
  (g, _, x) => np.where(np.greater(x, 0), g, 0),
);

/** min(max(x, 0), 6), with derivative 0 at 0 and 6. @example nn.relu6(np.array([-1, 3, 8])) // [0, 3, 6] */
export const relu6: (x: ArrayLike) => NDArray = /* @__PURE__ */ withDerivative(
  "relu6",
  (x) => np.minimum(np.maximum(x, 0), inexactLike(x, 6)),
  (g, _, x) => np.where(np.logicalAnd(np.greater(x, 0), np.less(x, 6)), g, 0),
);
/** A float constant: with integers it makes the result float. */
const inexactLike = (x: NDArray, value: number): NDArray => inexact("relu6", np.fullLike(x, value, { shape: [] }));

/** x, or `negativeSlope`·x (default 0.01) below 0. @example nn.leakyRelu(np.array([-2, 3]), 0.5) // [-1, 3] */
export const leakyRelu = /* @__PURE__ */ unit(
  "leakyRelu",
  1,
  function leakyRelu(x: ArrayLike, ...rest: Rest<{ readonly negativeSlope?: ArrayLike }>): NDArray {
    const { negativeSlope = 0.01 } = readOptions<{ negativeSlope: ArrayLike }>(
      "nn.leakyRelu",
      ["negativeSlope"],
      1,
      rest,
    );
    const a = asArray(x, "nn.leakyRelu");
    return np.where(np.greaterEqual(a, 0), a, np.multiply(negativeSlope, a));
  },
);

interface AlphaOption {
  readonly alpha?: ArrayLike;
}
const readAlpha = (name: string, rest: readonly unknown[]): ArrayLike =>
  readOptions<Required<AlphaOption>>(`nn.${name}`, ["alpha"], 1, rest).alpha ?? 1;

/** x, or `alpha`·(eˣ − 1) below 0 (default alpha 1). @example nn.elu(np.array([0, 3])) // [0, 3] */
export const elu = /* @__PURE__ */ unit("elu", 1, function elu(x: ArrayLike, ...rest: Rest<AlphaOption>): NDArray {
  const alpha = readAlpha("elu", rest);
  const a = asArray(x, "nn.elu");
  const positive = np.greater(a, 0);
  // The branch not taken must not overflow: its derivative is multiplied by zero.
  return np.where(positive, a, np.multiply(alpha, np.expm1(np.where(positive, 0, a))));
});

/** max(x, 0) + `alpha`·(exp(min(x, 0)/alpha) − 1). @example nn.celu(np.array([0, 3])) // [0, 3] */
export const celu = /* @__PURE__ */ unit("celu", 1, function celu(x: ArrayLike, ...rest: Rest<AlphaOption>): NDArray {
  const alpha = readAlpha("celu", rest);
  const a = asArray(x, "nn.celu");
  return np.add(np.maximum(a, 0), np.multiply(alpha, np.expm1(np.divide(np.minimum(a, 0), alpha))));
});

/** The self-normalizing ELU (Klambauer et al., 2017). @example nn.selu(np.array([0])) // [0] */
export const selu = /* @__PURE__ */ unit("selu", 1, (x: ArrayLike): NDArray =>
  np.multiply(1.0507009873554805, elu(x, 1.6732632423543772)),
);

// ---------------------------------------------------------------- smooth ones

/** 1 / (1 + e⁻ˣ). @example nn.sigmoid(np.array([0])) // [0.5] */
export const sigmoid = (x: ArrayLike): NDArray => lax.logistic(inexact("sigmoid", x));

/** log(1 + eˣ). @example nn.softplus(np.array([-Infinity, 100])) // [0, 100] */
export const softplus = /* @__PURE__ */ unit("softplus", 1, (x: ArrayLike): NDArray =>
  np.logaddexp(asArray(x, "nn.softplus"), 0),
);

/** log sigmoid(x). @example nn.logSigmoid(np.array([100])) // [0] */
export const logSigmoid = /* @__PURE__ */ unit("logSigmoid", 1, (x: ArrayLike): NDArray =>
  np.negative(softplus(np.negative(x))),
);

/** x·sigmoid(x). @example nn.silu(np.array([0, 100])) // [0, 100] */
export const silu = /* @__PURE__ */ unit("silu", 1, function silu(x: ArrayLike): NDArray {
  const a = asArray(x, "nn.silu");
  return np.multiply(a, sigmoid(a));
});
/** x·sigmoid(x): another name of `silu`. @example nn.swish(np.array([0])) // [0] */
export const swish = silu;

/** x·tanh(softplus(x)). @example nn.mish(np.array([0])) // [0] */
export const mish = /* @__PURE__ */ unit("mish", 1, function mish(x: ArrayLike): NDArray {
  const a = asArray(x, "nn.mish");
  return np.multiply(a, np.tanh(softplus(a)));
});

/**
 * x·Φ(x), with Φ the normal distribution function, by default in its approximation with tanh.
 *
 * @param rest `approximate` (default true).
 * @example
 * nn.gelu(np.array([0, 100])) // [0, 100]
 */
export const gelu = /* @__PURE__ */ unit(
  "gelu",
  1,
  function gelu(x: ArrayLike, ...rest: Rest<{ readonly approximate?: boolean }, boolean>): NDArray {
    const { approximate = true } = readOptions<{ approximate: boolean }>("nn.gelu", ["approximate"], 1, rest);
    const a = inexact("gelu", x);
    if (!approximate) return np.multiply(np.multiply(0.5, a), lax.erfc(np.multiply(np.negative(a), Math.SQRT1_2)));
    const inner = np.multiply(Math.sqrt(2 / Math.PI), np.add(a, np.multiply(0.044715, lax.integerPow(a, 3))));
    return np.multiply(a, np.multiply(0.5, np.add(1, np.tanh(inner))));
  },
);

/** (x + √(x² + b)) / 2 (default b 4). @example nn.squareplus(np.array([0])) // [1] */
export const squareplus = /* @__PURE__ */ unit(
  "squareplus",
  1,
  function squareplus(x: ArrayLike, ...rest: Rest<{ readonly b?: ArrayLike }>): NDArray {
    const { b = 4 } = readOptions<{ b: ArrayLike }>("nn.squareplus", ["b"], 1, rest);
    const a = asArray(x, "nn.squareplus");
    return np.divide(np.add(a, np.sqrt(np.add(np.square(a), b))), 2);
  },
);

/** x / (|x| + 1). @example nn.softSign(np.array([-1, 1])) // [-0.5, 0.5] */
export const softSign = /* @__PURE__ */ unit("softSign", 1, function softSign(x: ArrayLike): NDArray {
  const a = asArray(x, "nn.softSign");
  return np.divide(a, np.add(np.abs(a), 1));
});

/** The hyperbolic tangent. @example nn.tanh(np.array([0])) // [0] */
export const tanh = (x: ArrayLike): NDArray => np.tanh(x);

/** log(1 − e⁻ˣ) for x > 0, accurate at both ends (Mächler, 2012). @example nn.log1mexp(np.array([Infinity])) // [0] */
export const log1mexp: (x: ArrayLike) => NDArray = /* @__PURE__ */ withDerivative(
  "log1mexp",
  (x) => {
    const small = np.less(x, Math.LN2);
    const negated = np.negative(x);
    return np.where(small, np.log(np.negative(np.expm1(negated))), np.log1p(np.negative(np.exp(negated))));
  },
  (g, _, x) => np.divide(g, np.expm1(x)),
);

// ---------------------------------------------------------------- piecewise polynomials

/** x, clipped to [−1, 1]. @example nn.hardTanh(np.array([-2, 0.5, 2])) // [-1, 0.5, 1] */
export const hardTanh = /* @__PURE__ */ unit("hardTanh", 1, function hardTanh(x: ArrayLike): NDArray {
  const a = asArray(x, "nn.hardTanh");
  return np.where(np.greater(a, 1), 1, np.where(np.less(a, -1), -1, a));
});

/** relu6(x + 3) / 6. @example nn.hardSigmoid(np.array([-3, 0, 3])) // [0, 0.5, 1] */
export const hardSigmoid = /* @__PURE__ */ unit("hardSigmoid", 1, (x: ArrayLike): NDArray =>
  np.divide(relu6(np.add(inexact("hardSigmoid", x), 3)), 6),
);

/** x·hardSigmoid(x). @example nn.hardSilu(np.array([-3, 3])) // [0, 3] */
export const hardSilu = /* @__PURE__ */ unit("hardSilu", 1, function hardSilu(x: ArrayLike): NDArray {
  const a = asArray(x, "nn.hardSilu");
  return np.multiply(a, hardSigmoid(a));
});
/** x·hardSigmoid(x): another name of `hardSilu`. @example nn.hardSwish(np.array([-3, 3])) // [0, 3] */
export const hardSwish = hardSilu;

/** 0 below −1, x above 1, (x + 1)²/4 between. @example nn.sparsePlus(np.array([-2, 0, 3])) // [0, 0.25, 3] */
export const sparsePlus = /* @__PURE__ */ unit("sparsePlus", 1, function sparsePlus(x: ArrayLike): NDArray {
  const a = inexact("sparsePlus", x);
  const middle = np.divide(np.square(np.add(a, 1)), 4);
  return np.where(np.lessEqual(a, -1), 0, np.where(np.greaterEqual(a, 1), a, middle));
});

/** (x + 1) / 2, clipped to [0, 1]. @example nn.sparseSigmoid(np.array([-2, 0, 3])) // [0, 0.5, 1] */
export const sparseSigmoid = /* @__PURE__ */ unit("sparseSigmoid", 1, (x: ArrayLike): NDArray =>
  np.multiply(0.5, np.clip(np.add(inexact("sparseSigmoid", x), 1), 0, 2)),
);

// ---------------------------------------------------------------- others

/** The argument, as an array. @example nn.identity(np.array([1, 2])) // [1, 2] */
export const identity = (x: ArrayLike): NDArray => asArray(x, "nn.identity");

/**
 * The first half of an axis times the sigmoid of the second.
 *
 * @param rest `axis` (default −1), of even length.
 * @example
 * nn.glu(np.array([4, 0])) // [2]
 */
export const glu = /* @__PURE__ */ unit(
  "glu",
  1,
  function glu(x: ArrayLike, ...rest: Rest<{ readonly axis?: number }, number>): NDArray {
    const { axis = -1 } = readOptions<{ axis: number }>("nn.glu", ["axis"], 1, rest);
    const a = asArray(x, "nn.glu");
    const along = canonicalAxis("nn.glu", axis, a.ndim);
    const size = a.shape[along]!;
    if (size % 2 !== 0)
      throw new ShapeError("OddAxis", {
        what: `nn.glu: axis ${along} of an array of shape ${shapeText(a.shape)} cannot be halved`,
        why: "one half of the axis gates the other",
        fix: "make the layer before twice as wide as its output should be",
      });
    const part = (from: number): NDArray => lax.sliceInDim(a, from, from + size / 2, { axis: along });
    return np.multiply(part(0), sigmoid(part(size / 2)));
  },
);
