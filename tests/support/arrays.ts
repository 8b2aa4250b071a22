/** Arrays in and out of tests, and what is expected of them. */
import { expect } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { CotangentError, type Problem } from "../../src/core/problem.ts";
import { flatten } from "../../src/core/tree.ts";
import { distance, host } from "./values.ts";

export * from "./values.ts";

/** Expects equal structure, shapes and dtypes, and values that agree to `tolerance`, relative to the largest. */
export function expectClose(found: unknown, wanted: unknown, tolerance = 1e-6): void {
  const [a, aDef] = flatten(found);
  const [b, bDef] = flatten(wanted);
  expect(String(aDef)).toBe(String(bDef));
  a.forEach((x, i) => {
    const [p, q] = [host(x as NDArray), host(b[i] as NDArray)];
    expect(`${p.dtype}[${p.shape.join()}]`).toBe(`${q.dtype}[${q.shape.join()}]`);
    const difference = distance(p, q, tolerance);
    if (difference !== null)
      expect.fail(`leaf ${i}: ${difference}\n  found  ${p.data.join()}\n  wanted ${q.data.join()}`);
  });
}

/** The problem of the library's error that `f` throws. */
export function problemOf(f: () => unknown): Problem & { readonly kind: string } {
  try {
    f();
  } catch (error) {
    if (error instanceof CotangentError) return { ...error.problem, kind: error.name };
    throw error;
  }
  return expect.fail("nothing was thrown");
}
