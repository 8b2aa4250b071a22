import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type FileArray,
  type FileDType,
  formatSafetensors,
  parseSafetensors,
  readSafetensors,
} from "../../src/data/index.ts";
import * as np from "../../src/numpy/index.ts";
import { holds } from "../properties.ts";
import { list, problemOf } from "../support/arrays.ts";
import { codeOf, damages, expectHonest, expectSameBits, fileArrays, fileDTypes, valueOf } from "./files.ts";

const dtypes = fileDTypes.filter((d): d is FileDType => d !== "complex128");
const names = fc.string({ maxLength: 8, unit: "grapheme" }).filter((n) => n !== "__metadata__");
const named = fc.dictionary(names, fileArrays(dtypes), { maxKeys: 5 });
const tensorsOf = (x: { readonly tensors: Readonly<Record<string, FileArray>> }): FileArray[] =>
  Object.values(x.tensors);

/** A file with a header of our own. */
const withHeader = (header: unknown, elements: readonly number[] = []): Uint8Array => {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const bytes = new TextEncoder().encode(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, bytes.length, true);
  return new Uint8Array([...length, ...bytes, ...elements]);
};
const tensor = (begin: number, end: number, shape: readonly unknown[] = [end - begin], dtype = "U8"): unknown => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("safetensors", () => {
  test("the example of the reference implementation's documentation", () => {
    const text = `<\0\0\0\0\0\0\0{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}${"\0".repeat(16)}`;
    const file = Uint8Array.from(text, (c) => c.charCodeAt(0));
    expect(list(readSafetensors(file)["test"])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test("reads what was written, bit for bit", () => {
    holds(200, [named, fc.dictionary(fc.string(), fc.string()), fc.nat(7)], (tensors, metadata, before) => {
      const file = formatSafetensors(tensors, { metadata });
      expect(formatSafetensors(Object.fromEntries(Object.entries(tensors).reverse()), { metadata })).toEqual(file);
      const inside = new Uint8Array([...new Uint8Array(before), ...file]).subarray(before);
      for (const bytes of [file, inside, file.slice().buffer]) {
        const read = valueOf(parseSafetensors(bytes));
        expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
        expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(tensors).sort());
        for (const [name, x] of Object.entries(tensors)) expectSameBits(read.tensors[name]!, x);
      }
    });
  });

  test("every tensor is aligned, and shares the file's memory", () => {
    holds(100, [named], (tensors) => {
      const file = formatSafetensors(tensors);
      const read = tensorsOf(valueOf(parseSafetensors(file)));
      expect(read.filter((x) => x.data.length > 0 && x.data.buffer !== file.buffer)).toEqual([]);
    });
    const file = formatSafetensors({ x: new Float32Array([1, 2]) });
    const { x } = readSafetensors(file);
    file.fill(0);
    expect(list(x)).toEqual([1, 2]);
  });

  test("arrays keep dtype, shape and values", () => {
    const arrays = {
      a: np.array([[1.5]], "float16"),
      b: np.array([1.5, NaN], "bfloat16"),
      c: np.array([true, false]),
      d: np.array([1, 2], "complex64"),
      e: np.zeros([0, 3], "int8"),
    };
    const read = readSafetensors(formatSafetensors(arrays));
    for (const [name, x] of Object.entries(arrays))
      expect([read[name]!.dtype, read[name]!.shape, list(read[name])]).toEqual([x.dtype, x.shape, list(x)]);
  });

  test("never more than a value or a DataError, whatever the bytes", () => {
    holds(1500, [named, damages], (tensors, damage) => {
      const file = damage(formatSafetensors(tensors));
      expectHonest(parseSafetensors(file), tensorsOf, file.length);
    });
    holds(300, [fc.uint8Array({ maxLength: 60 })], (bytes) =>
      expectHonest(parseSafetensors(bytes), tensorsOf, bytes.length),
    );
    holds(800, [fc.json(), fc.uint8Array({ maxLength: 9 })], (json, tail) =>
      expectHonest(parseSafetensors(withHeader(json, [...tail])), tensorsOf, 99),
    );
    const field = fc.oneof(fc.nat(9), fc.integer(), fc.double(), fc.constant(null));
    const entry = fc.record({
      dtype: fc.constantFrom("U8", "F32", "BOOL", "F8_E4M3"),
      shape: fc.array(field, { maxLength: 3 }),
      data_offsets: fc.array(field, { maxLength: 3 }),
    });
    holds(800, [fc.dictionary(names, entry, { maxKeys: 3 }), fc.uint8Array({ maxLength: 9 })], (header, tail) =>
      expectHonest(parseSafetensors(withHeader(header, [...tail])), tensorsOf, tail.length),
    );
  });

  test.each([
    ["Truncated", new Uint8Array(7)],
    ["Truncated", new Uint8Array([9, 0, 0, 0, 0, 0, 0, 0, 0x7b])],
    ["HeaderTooLarge", new Uint8Array([1, 0xe1, 0xf5, 5, 0, 0, 0, 0])],
    ["HeaderTooLarge", new Uint8Array([0, 0, 0, 0, 1, 0, 0, 0])],
    ["NotSafetensors", withHeader("[]")],
    ["NotSafetensors", withHeader(" {}")],
    ["NotSafetensors", withHeader("{")],
    ["NotSafetensors", withHeader({ x: null })],
    ["NotSafetensors", withHeader({ x: { ...(tensor(0, 1) as object), more: 1 } }, [0])],
    ["NotSafetensors", withHeader({ x: tensor(0, 1, [1.5]) }, [0])],
    ["NotSafetensors", withHeader({ x: tensor(0, 1, [-1]) }, [0])],
    ["NotSafetensors", withHeader({ __metadata__: { a: 1 } })],
    ["UnknownElements", withHeader({ x: tensor(0, 1, [1], "F8_E4M3") }, [0])],
    ["UnknownElements", withHeader({ x: tensor(0, 1, [1], "toString") }, [0])],
    ["WrongSize", withHeader({ x: tensor(0, 1, [2]) }, [0])],
    ["WrongSize", withHeader({ x: tensor(0, 1, [2 ** 40, 2 ** 40]) }, [0])],
    ["WrongSize", withHeader({ x: tensor(1, 0, [1]) }, [0])],
    ["NotContiguous", withHeader({ x: tensor(1, 2) }, [0, 0])],
    ["NotContiguous", withHeader({ x: tensor(0, 2), y: tensor(1, 3) }, [0, 0, 0])],
    ["NotContiguous", withHeader({ x: tensor(0, 1), y: tensor(2, 3) }, [0, 0, 0])],
    ["Truncated", withHeader({ x: tensor(0, 2) }, [0])],
    ["WrongLength", withHeader({ x: tensor(0, 1) }, [0, 0])],
    ["NotBoolean", withHeader({ x: tensor(0, 1, [1], "BOOL") }, [2])],
    [
      "RepeatedName",
      withHeader(`{"x":${JSON.stringify(tensor(0, 1))},"\\u0078":${JSON.stringify(tensor(0, 1))}}`, [0]),
    ],
    ["RepeatedName", withHeader(`{"x":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}`, [0])],
  ])("%s", (code, file) => {
    expect(codeOf(parseSafetensors(file))).toBe(code);
  });

  test("names may look like anything", () => {
    const tensors = { "": [1], '"x":': [2], __proto__: [3], "\\": [4], "a\nb": [5] };
    Object.defineProperty(tensors, "__proto__", { value: [3], enumerable: true });
    const read = readSafetensors(formatSafetensors(tensors));
    expect(Object.keys(read).sort()).toEqual(Object.keys(tensors).sort());
    expect(list(Object.getOwnPropertyDescriptor(read, "__proto__")!.value)).toEqual([3]);
  });

  test("what cannot be written is refused", () => {
    expect(problemOf(() => formatSafetensors({ __metadata__: [1] })).code).toBe("NotForSafetensors");
    expect(
      problemOf(() => formatSafetensors({ z: { dtype: "complex128", shape: [0], data: new Float64Array(0) } })).code,
    ).toBe("NotForSafetensors");
    expect(problemOf(() => readSafetensors(new Uint8Array(0)))).toMatchObject({ kind: "DataError", code: "Truncated" });
  });
});
