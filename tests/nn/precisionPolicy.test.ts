import { expect, test } from "vitest";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { jit } from "../../src/transforms/jit.ts";
import { problemOf } from "../support/arrays.ts";

const dtypes = (p: nn.PrecisionDTypes): string[] => [p.paramDtype, p.computeDtype, p.outputDtype];

test("policies are read from text, and written as it", () => {
  const text = "params=float32,compute=bfloat16,output=float16";
  expect(dtypes(nn.precisionPolicy(text))).toEqual(["float32", "bfloat16", "float16"]);
  expect(String(nn.precisionPolicy(text))).toBe(text);
  expect(dtypes(nn.precisionPolicy(" c = bf16 , p=full,o=f16"))).toEqual(["float32", "bfloat16", "float16"]);
  expect(dtypes(nn.precisionPolicy("bfloat16"))).toEqual(["bfloat16", "bfloat16", "bfloat16"]);
  expect(dtypes(nn.precisionPolicy("compute=float16"))).toEqual(["float32", "float16", "float32"]);
  expect(dtypes(nn.precisionPolicy({ computeDtype: "float16" }))).toEqual(["float32", "float16", "float32"]);
});

test("only floating arrays are converted, also under jit", () => {
  const policy = nn.precisionPolicy("params=float32,compute=bfloat16,output=float16");
  const t = { w: np.ones([2]), h: np.ones([1], "float16"), i: np.arange(2), flag: np.array(true), n: 3, none: null };
  const cast = policy.castToCompute(t);
  expect([cast.w.dtype, cast.h.dtype, cast.i.dtype, cast.flag.dtype, cast.n, cast.none]).toEqual([
    "bfloat16",
    "bfloat16",
    "int32",
    "bool",
    3,
    null,
  ]);
  expect(policy.castToParam(cast).h.dtype).toBe("float32");
  expect(policy.castToOutput(cast).w.dtype).toBe("float16");
  expect(policy.castToCompute(np.ones([1], "complex64")).dtype).toBe("complex64");
  expect(policy.castToCompute(random.key(1)).dtype).toBe("key<fry>");
  expect(jit((x: typeof cast.w) => policy.castToOutput(x))(cast.w).dtype).toBe("float16");
});

test("mistakes are told", () => {
  for (const wrong of [
    "weights=float32",
    "params=int32",
    "params=float32,p=float16",
    "int8",
    "params=float32=x",
    "compute=toString",
  ])
    expect(problemOf(() => nn.precisionPolicy(wrong))).toMatchObject({
      kind: "ArgumentError",
      code: "PrecisionPolicy",
    });
  expect(problemOf(() => nn.precisionPolicy({ paramDtype: "int32" })).code).toBe("PrecisionPolicy");
});
