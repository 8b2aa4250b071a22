import "../../src/numpy/install.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/ndarray.ts";
import { ArgumentError, ShapeError } from "../../src/core/problem.ts";
import * as np from "../../src/numpy/index.ts";
import { checkGrads } from "../../src/testing/checkGrads.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { arrays } from "../../src/testing/arbitraries.ts";
import { holds } from "../properties.ts";
import { broadcast, broadcastAt, places, plainOf } from "./plain.ts";

/** Einsum by summing over all values of all letters. */
function einsumOf(
  terms: readonly string[],
  output: string,
  xs: readonly NDArray[],
): { shape: number[]; values: number[] } {
  const plain = xs.map(plainOf);
  const sizes = new Map<string, number>();
  terms.forEach((t, k) => [...t].forEach((c, i) => sizes.set(c, Math.max(sizes.get(c) ?? 1, plain[k]!.shape[i]!))));
  const letters = [...sizes.keys()];
  const summed = letters.filter((c) => !output.includes(c));
  const shape = [...output].map((c) => sizes.get(c)!);
  const values = places(shape).map((p) =>
    places(summed.map((c) => sizes.get(c)!)).reduce((sum, q) => {
      const value = (c: string): number => (output.includes(c) ? p[output.indexOf(c)]! : q[summed.indexOf(c)]!);
      const factors = terms.map((t, k) =>
        plain[k]!.at([...t].map((c, i) => (plain[k]!.shape[i] === 1 ? 0 : value(c)))),
      );
      return sum + factors.reduce((a, b) => a * b, 1);
    }, 0),
  );
  return { shape, values };
}

const lengths: Record<string, number> = { a: 2, b: 3, c: 1, d: 2 };
const term = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 3 }).map((l) => l.join(""));
const program = fc.array(term, { minLength: 1, maxLength: 4 }).chain((terms) => {
  const letters = [...new Set(terms.join(""))];
  const output = fc.shuffledSubarray(letters).map((l) => l.join(""));
  const operands = terms.map((t) => arrays({ shape: [...t].map((c) => lengths[c]!) }));
  return fc.tuple(fc.constant(terms), output, fc.tuple(...operands));
});

describe("einsum", () => {
  test("agrees with loops", () => {
    holds(200, [program], ([terms, output, xs]) => {
      const want = einsumOf(terms, output, xs);
      const y = np.einsum(`${terms.join(",")}->${output}`, ...xs);
      expect(y.shape).toEqual(want.shape);
      [...y.dataSync()].forEach((v, i) => expect(v).toBeCloseTo(want.values[i]!, 3));
    });
  });

  test("implicit results, spaces, ellipses, lists of axes", () => {
    const a = np.reshape(np.arange(6, { dtype: "float32" }), [2, 3]);
    const b = np.reshape(np.arange(12, { dtype: "float32" }), [3, 4]);
    expect(np.einsum("ij, jk", a, b).js()).toEqual(np.matmul(a, b).js());
    expect(np.einsum("ba", a).js()).toEqual(a.T.js());
    expect(np.einsum("...j->...", a).js()).toEqual([3, 12]);
    expect(np.einsum("...i,...i", np.ones([2, 1, 3]), np.ones([4, 3])).shape).toEqual([2, 4]);
    expect(np.einsum("i...->...", a).js()).toEqual([3, 5, 7]);
    expect(np.einsum(a, [0, 1], b, [1, 2], [2, 0]).js()).toEqual(np.matmul(a, b).T.js());
    expect(np.einsum("ii", np.eye(3)).js()).toBe(3);
    expect(np.einsum("ii->i", np.diag(np.array([1, 2]))).js()).toEqual([1, 2]);
    expect(np.einsum("ij,j", a.astype("int32"), np.arange(3)).dtype).toBe("int32");
    expect(np.einsum("i,i->", np.arange(3), np.arange(3), { preferredElementType: "float32" }).dtype).toBe("float32");
  });

  test("mistakes are named", () => {
    const a = np.ones([2, 3]);
    expect(() => np.einsum("ij,jk->ik", a)).toThrow(/2 terms for 1 operands/);
    expect(() => np.einsum("ij,jk->ik", a, a)).toThrow(ShapeError);
    expect(() => np.einsum("ij->k", a)).toThrow(/k occurs in the result only/);
    expect(() => np.einsum("ijk->i", a)).toThrow(/operand 0 has 2 axes but 3 letters/);
    expect(() => np.einsum("i1->i", a)).toThrow(ArgumentError);
    expect(() => np.einsum("...i->i", a)).toThrow(/ellipsis/);
  });

  test("contracts in the order with the fewest products", () => {
    const [path] = np.einsumPath("ij,jk,kl->il", np.ones([2, 9]), np.ones([9, 9]), np.ones([9, 1]));
    expect(path).toEqual([
      [1, 2],
      [0, 1],
    ]);
    const operands = Array.from({ length: 7 }, () => np.ones([2, 2]));
    expect(np.einsum("ab,bc,cd,de,ef,fg,gh->ah", ...operands).js()).toEqual([
      [64, 64],
      [64, 64],
    ]);
    expect(
      np
        .einsum("ab,bc,cd->ad", operands[0]!, operands[1]!, operands[2]!, {
          optimize: [
            [0, 2],
            [0, 1],
          ],
        })
        .js(),
    ).toEqual([
      [4, 4],
      [4, 4],
    ]);
  });

  test("is differentiable to second order", () => {
    const f = (a: NDArray, b: NDArray, c: NDArray): NDArray => np.einsum("ij,jjk,k->i", a, b, c);
    checkGrads(
      f,
      [
        np.ones([2, 3], "float64"),
        np.linspace(0, 1, 36, { dtype: "float64" }).reshape(3, 3, 4),
        np.ones([4], "float64"),
      ],
      2,
    );
  });
});

describe("matmul", () => {
  test("broadcasts leading axes", () => {
    const lead = fc.constantFrom<number[]>([], [2], [1], [3, 1], [3, 2], [1, 2]);
    holds(60, [lead, lead, fc.integer({ min: 1, max: 3 }), fc.boolean(), fc.boolean()], (l, r, n, vectorA, vectorB) => {
      const a = np.reshape(np.arange(1, l.reduce((p, k) => p * k, 2) * n + 1), [...l, 2, n]);
      const b = np.reshape(np.arange(1, r.reduce((p, k) => p * k, 3) * n + 1), [...r, n, 3]);
      const x = vectorA ? np.arange(1, n + 1) : a;
      const y = vectorB ? np.arange(1, n + 1) : b;
      const out = np.matmul(x, y);
      const [p, q] = [plainOf(vectorA ? x.reshape(1, n) : x), plainOf(vectorB ? y.reshape(n, 1) : y)];
      const common = broadcast(p.shape.slice(0, -2), q.shape.slice(0, -2));
      const full = [...common, p.shape.at(-2)!, q.shape.at(-1)!];
      const values = places(full).map((place) => {
        const [i, j] = place.slice(-2) as [number, number];
        const at = (z: typeof p, u: number, v: number): number =>
          broadcastAt({ shape: z.shape, at: z.at }, [
            ...place.slice(0, -2),
            z.shape.at(-2) === 1 ? 0 : u,
            z.shape.at(-1) === 1 ? 0 : v,
          ]);
        let sum = 0;
        for (let k = 0; k < n; k++) sum += at(p, i, k) * at(q, k, j);
        return sum;
      });
      expect(out.shape).toEqual([...common, ...(vectorA ? [] : [2]), ...(vectorB ? [] : [3])]);
      expect([...out.dataSync()]).toEqual(values);
      expect(jit(np.matmul)(x, y).js()).toEqual(out.js());
    });
  });

  test("maps and differentiates", () => {
    const [a, b] = [np.ones([4, 2, 3]), np.ones([4, 3])];
    expect(vmap((x: NDArray, y: NDArray) => np.matmul(x, y))(a, b).js()).toEqual(np.einsum("bij,bj->bi", a, b).js());
    checkGrads(
      (x: NDArray, y: NDArray) => np.matmul(x, y),
      [np.ones([2, 1, 2, 3], "float64"), np.ones([3, 3, 2], "float64")],
      2,
    );
  });

  test("the other products", () => {
    const [u, v] = [np.array([1, 2, 3]), np.array([4, 5, 6])];
    expect(np.dot(np.ones([2, 3]), np.ones([4, 3, 5])).shape).toEqual([2, 4, 5]);
    expect(np.inner(np.ones([2, 3]), np.ones([4, 3])).shape).toEqual([2, 4]);
    expect(
      np.tensordot(np.ones([2, 3, 4]), np.ones([4, 3, 5]), [
        [1, 2],
        [1, 0],
      ]).shape,
    ).toEqual([2, 5]);
    expect(np.tensordot(u, v, 0).shape).toEqual([3, 3]);
    expect(np.vecdot(np.ones([2, 3]), v).js()).toEqual([15, 15]);
    expect(np.cross(u, v).js()).toEqual([-3, 6, -3]);
    expect(np.cross(np.array([1, 2]), np.array([3, 4])).js()).toBe(-2);
    expect(np.cross(np.array([1, 2]), v).js()).toEqual([12, -6, -3]);
    expect(np.kron(np.eye(2), np.array([[1, 2]])).js()).toEqual([
      [1, 2, 0, 0],
      [0, 0, 1, 2],
    ]);
    expect(np.outer(u, v).shape).toEqual([3, 3]);
    expect(() => np.matmul(np.ones([32, 128]), np.ones([64, 10]))).toThrow(/128 ≠ 64/);
    expect(() => np.matmul(u, 2)).toThrow(/scalar operand/);
  });
});
