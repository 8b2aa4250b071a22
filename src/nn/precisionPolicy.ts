/**
 * Mixed precision: which dtypes parameters are kept in, layers compute in, and results come out in (Micikevicius et al.,
 * 2018). A policy converts the floating leaves of trees; integers, booleans, complex numbers and keys stay as they are.
 */
import { type DType, isFloat, parseDType } from "../core/dtype.ts";
import { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import * as np from "../numpy/index.ts";
import * as tree from "../tree/functions.ts";

/** The three dtypes. */
export interface PrecisionDTypes {
  readonly paramDtype: DType;
  readonly computeDtype: DType;
  readonly outputDtype: DType;
}
export interface PrecisionPolicy extends PrecisionDTypes {
  /** The tree with its floating leaves in `paramDtype`. */
  readonly castToParam: <T>(t: T) => T;
  /** The tree with its floating leaves in `computeDtype`. */
  readonly castToCompute: <T>(t: T) => T;
  /** The tree with its floating leaves in `outputDtype`. */
  readonly castToOutput: <T>(t: T) => T;
  /** As text that `precisionPolicy` reads. */
  readonly toString: () => string;
}

/** Floating arrays in a dtype. Numbers are weak: they take the dtype of what they meet. */
const castFloats = <T>(t: T, dtype: DType): T =>
  tree.map((x: unknown) => (x instanceof NDArray && isFloat(x.dtype) ? np.astype(x, dtype) : x), t);

const parts: Readonly<Record<string, keyof PrecisionDTypes>> = {
  params: "paramDtype",
  param: "paramDtype",
  p: "paramDtype",
  compute: "computeDtype",
  c: "computeDtype",
  output: "outputDtype",
  o: "outputDtype",
};
const shortNames: Readonly<Record<string, DType>> = {
  full: "float32",
  f64: "float64",
  f32: "float32",
  f16: "float16",
  bf16: "bfloat16",
};

/**
 * A policy from its text, or from three dtypes.
 *
 * @param policy `"params=float32,compute=bfloat16,output=float32"`; the names may be `p`, `c` and `o`, the dtypes `full`,
 *   `f64`, `f32`, `f16` and `bf16`. One dtype alone stands for all three; what is left out is float32.
 * @throws ArgumentError if a part or a dtype is unknown, or a part is given twice.
 * @example
 * const policy = nn.precisionPolicy("params=float32,compute=bfloat16,output=float32");
 * policy.castToCompute({ w: np.ones([2]), step: np.arange(1) }).w.dtype // "bfloat16"
 * nn.precisionPolicy("f16").outputDtype // "float16"
 */
export function precisionPolicy(policy: string | Partial<PrecisionDTypes>): PrecisionPolicy {
  const given = typeof policy === "string" ? parse(policy) : policy;
  const read = (part: keyof PrecisionDTypes): DType => floating(String(given[part] ?? "float32"), String(part));
  const [paramDtype, computeDtype, outputDtype] = [read("paramDtype"), read("computeDtype"), read("outputDtype")];
  return {
    paramDtype,
    computeDtype,
    outputDtype,
    castToParam: (t) => castFloats(t, paramDtype),
    castToCompute: (t) => castFloats(t, computeDtype),
    castToOutput: (t) => castFloats(t, outputDtype),
    toString: () => `params=${paramDtype},compute=${computeDtype},output=${outputDtype}`,
  };
}

function parse(text: string): Partial<PrecisionDTypes> {
  if (!text.includes("=")) {
    const dtype = floating(text.trim(), "the policy");
    return { paramDtype: dtype, computeDtype: dtype, outputDtype: dtype };
  }
  const found: Partial<Record<keyof PrecisionDTypes, DType>> = {};
  for (const piece of text.split(",")) {
    const [name = "", dtype = "", ...more] = piece.split("=").map((s) => s.trim());
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined;
    if (part === undefined || more.length > 0 || found[part] !== undefined)
      throw new ArgumentError("PrecisionPolicy", {
        what: `nn.precisionPolicy: ${JSON.stringify(piece)} in ${JSON.stringify(text)} is no part of a policy, or was given before`,
        why: "a policy says once for each of params, compute and output which dtype they have",
        fix: 'write it like "params=float32,compute=bfloat16,output=float32"',
      });
    found[part] = floating(dtype, name);
  }
  return found;
}

function floating(name: string, of: string): DType {
  const dtype = Object.hasOwn(shortNames, name) ? shortNames[name]! : name;
  if (["float16", "bfloat16", "float32", "float64"].includes(dtype)) return parseDType(dtype);
  throw new ArgumentError("PrecisionPolicy", {
    what: `nn.precisionPolicy: ${JSON.stringify(name)} (of ${of}) is no floating dtype`,
    why: "a policy converts floating numbers only",
    fix: "use float32, bfloat16, float16 or float64",
  });
}
