import { describe, expect, test } from "vitest";
import { ConcretizationError, grad, jit, numpy as np, vmap } from "../../src/index.ts";
import type { NDArray } from "../../src/index.ts";

/* eslint-disable @typescript-eslint/no-explicit-any, eqeqeq -- what type checking would catch is the point */
const uses: readonly {
  readonly name: string;
  readonly use: (x: any) => unknown;
  readonly outcome: "throws" | "text" | "silent";
}[] = [
  { name: "x > 0", use: (x) => x > 0, outcome: "throws" },
  { name: "+x", use: (x) => +x, outcome: "throws" },
  { name: "x + 1", use: (x) => x + 1, outcome: "throws" },
  { name: "x == 1", use: (x) => x == 1, outcome: "throws" },
  { name: "Math.sin(x)", use: (x) => Math.sin(x), outcome: "throws" },
  { name: "Number(x)", use: (x) => Number(x), outcome: "throws" },
  // A template prints: the value of an array, the aval of a tracer.
  { name: "`${x}`", use: (x) => `${x}`, outcome: "text" },
  // JavaScript asks an object nothing before it calls it true; the documentation says so.
  { name: "x ? a : b", use: (x) => (x ? "a" : "b"), outcome: "silent" },
];

const places: readonly { readonly name: string; readonly run: (f: (x: NDArray) => NDArray) => unknown }[] = [
  { name: "a concrete array", run: (f) => f(np.array(1)) },
  { name: "jit", run: (f) => jit(f)(np.array(1)) },
  { name: "grad", run: (f) => grad(f)(np.array(1)) },
  { name: "vmap", run: (f) => vmap(f)(np.ones([2])) },
];

describe.each(places)("JavaScript's own operators on $name", ({ run }) => {
  test.each(uses)("$name", ({ use, outcome }) => {
    let result: unknown;
    const call = (): unknown =>
      run((x) => {
        result = use(x);
        return x;
      });
    if (outcome === "throws") expect(call).toThrow(ConcretizationError);
    else {
      call();
      expect(typeof result).toBe("string");
      if (outcome === "silent") expect(result).toBe("a");
    }
  });
});
