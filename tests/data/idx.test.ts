import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { isLeft, isRight } from "fp-ts/lib/Either.js";
import { type IdxArray, type IdxDType, batches, formatIdx, parseIdx, readIdx } from "../../src/data/index.ts";
import * as random from "../../src/random/index.ts";
import { holds } from "../properties.ts";
import { host, list, problemOf } from "../support/arrays.ts";

const elements = {
  uint8: (n: number) => fc.uint8Array({ minLength: n, maxLength: n }),
  int8: (n: number) => fc.int8Array({ minLength: n, maxLength: n }),
  int16: (n: number) => fc.int16Array({ minLength: n, maxLength: n }),
  int32: (n: number) => fc.int32Array({ minLength: n, maxLength: n }),
  float32: (n: number) => fc.float32Array({ minLength: n, maxLength: n }),
  float64: (n: number) => fc.float64Array({ minLength: n, maxLength: n }),
} as const;

const idxArrays: fc.Arbitrary<IdxArray> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(elements) as IdxDType[])),
    fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
  )
  .chain(([dtype, shape]) =>
    (elements[dtype] as (n: number) => fc.Arbitrary<IdxArray["data"]>)(shape.reduce((a, b) => a * b, 1)).map(
      (data) => ({
        dtype,
        shape,
        data,
      }),
    ),
  );

/** The problem a parse ends with. */
function codeOf(bytes: unknown): string | null {
  const parsed = parseIdx(bytes as Uint8Array);
  return isLeft(parsed) ? parsed.left.code : null;
}

describe("parseIdx", () => {
  test("reads what formatIdx wrote", () => {
    holds(200, [idxArrays], (x) => {
      const parsed = parseIdx(formatIdx(x));
      expect(isRight(parsed) && parsed.right).toEqual(x);
    });
  });

  test("reads from the middle of a buffer, and from a whole one", () => {
    holds(50, [idxArrays, fc.nat({ max: 9 })], (x, before) => {
      const file = formatIdx(x);
      const buffer = new Uint8Array(before + file.length + 3);
      buffer.set(file, before);
      const view = parseIdx(buffer.subarray(before, before + file.length));
      expect(isRight(view) && view.right).toEqual(x);
      const whole = parseIdx(file.buffer as ArrayBuffer);
      expect(isRight(whole) && whole.right).toEqual(x);
    });
  });

  test("does not share memory with the file", () => {
    const file = formatIdx({ dtype: "uint8", shape: [2], data: new Uint8Array([1, 2]) });
    const parsed = parseIdx(file);
    file.fill(9);
    expect(isRight(parsed) && [...parsed.right.data]).toEqual([1, 2]);
  });

  test("refuses every shortened or lengthened file", () => {
    holds(100, [idxArrays, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })], (x, part) => {
      const file = formatIdx(x);
      expect(codeOf(file.subarray(0, Math.floor(part * file.length)))).toMatch(/Truncated|WrongLength/);
      expect(codeOf(new Uint8Array([...file, 0]))).toBe("WrongLength");
    });
  });

  test("never throws, and never makes more than there is, whatever the header says", () => {
    holds(
      500,
      [idxArrays, fc.array(fc.tuple(fc.nat({ max: 19 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 })],
      (x, damage) => {
        const file = formatIdx(x);
        for (const [at, value] of damage) if (at < file.length) file[at] = value;
        const parsed = parseIdx(file);
        if (isRight(parsed)) expect(parsed.right.data.byteLength).toBeLessThanOrEqual(file.length);
        else expect(parsed.left.name).toBe("DataError");
      },
    );
    holds(300, [fc.uint8Array({ maxLength: 40 })], (bytes) => {
      parseIdx(bytes);
    });
  });

  test("says what is wrong", () => {
    expect(codeOf("0000")).toBe("NotBytes");
    expect(codeOf(null)).toBe("NotBytes");
    expect(codeOf(new Uint8Array([0, 0, 8]))).toBe("Truncated");
    expect(codeOf(new Uint8Array([0, 0, 7, 1, 0, 0, 0, 0]))).toBe("NotIdx");
    expect(codeOf(new Uint8Array([0, 0, 8, 200]))).toBe("TooManyAxes");
    // Four axes of 2³² − 1: the product is far beyond any integer.
    expect(codeOf(new Uint8Array([0, 0, 8, 4, ...new Array<number>(16).fill(255)]))).toBe("WrongLength");
    const gzip = parseIdx(new Uint8Array([0x1f, 0x8b, 8, 0, 0]));
    expect(isLeft(gzip) && gzip.left.problem.fix).toContain("decompress");
  });
});

describe("readIdx and formatIdx", () => {
  test("give arrays of the file's dtype and shape", () => {
    holds(50, [idxArrays.filter((x) => x.dtype !== "float64")], (x) => {
      const a = readIdx(formatIdx(x));
      expect([a.dtype, a.shape]).toEqual([x.dtype, x.shape]);
      expect([...host(a).data]).toEqual([...x.data]);
    });
  });

  test("throw what parseIdx gives", () => {
    expect(problemOf(() => readIdx(new Uint8Array(3)))).toMatchObject({ kind: "DataError", code: "Truncated" });
    expect(problemOf(() => formatIdx({ dtype: "uint8", shape: [3], data: new Uint8Array(2) })).code).toBe(
      "NotAnIdxArray",
    );
    expect(problemOf(() => formatIdx({ dtype: "bool" as never, shape: [0], data: new Uint8Array(0) })).code).toBe(
      "NotAnIdxArray",
    );
  });
});

describe("batches", () => {
  test("take every example at most once, and all of them with the rest", () => {
    const sizes = fc.integer({ min: 1, max: 40 });
    holds(60, [fc.nat(), sizes, sizes], (seed, count, size) => {
      const whole = batches(random.key(seed), count, size).map((b) => list(b) as number[]);
      expect(whole.length).toBe(Math.floor(count / size));
      expect(whole.every((b) => b.length === size)).toBe(true);
      const all = batches(random.key(seed), count, size, { dropRemainder: false }).flatMap((b) => list(b) as number[]);
      expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      expect(all.slice(0, whole.flat().length)).toEqual(whole.flat());
    });
  });

  test("come in another order for another key", () => {
    const order = (seed: number): unknown => batches(random.key(seed), 64, 64).map(list);
    expect(order(0)).toEqual(order(0));
    expect(order(0)).not.toEqual(order(1));
  });

  test("need positive sizes", () => {
    expect(problemOf(() => batches(random.key(0), 10, 0)).code).toBe("BatchSize");
    expect(problemOf(() => batches(random.key(0), 2.5, 1)).code).toBe("BatchSize");
  });
});
