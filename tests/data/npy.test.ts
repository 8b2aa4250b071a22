import fc from "fast-check";
import { unzipSync, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import {
  type FileArray,
  arrayOf,
  fileArray,
  formatNpy,
  formatNpz,
  parseNpy,
  parseNpz,
  readNpy,
  readNpz,
} from "../../src/data/index.ts";
import { bfloat16FromBits, float16FromBits } from "../../src/core/halfFloat.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { holds } from "../properties.ts";
import { list, problemOf } from "../support/arrays.ts";
import { codeOf, damages, expectHonest, expectSameBits, fileArrays, valueOf } from "./files.ts";
import numpy from "./numpyFiles.json" with { type: "json" };

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));

/** Elements as numbers, or as text where they are 64-bit integers. */
const valuesOf = ({ dtype, data }: FileArray): unknown[] => {
  const numbers = Array.from(data as Iterable<number | bigint>);
  if (dtype === "complex64" || dtype === "complex128")
    return Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]]);
  if (dtype === "float16") return numbers.map((x) => float16FromBits(Number(x)));
  if (dtype === "bool" || dtype.startsWith("float")) return numbers;
  return numbers.map(String);
};

/** A file with a header of our own. */
const withHeader = (text: string, elements = 0, version = 1): Uint8Array => {
  const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return new Uint8Array([
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    version,
    0,
    ...length,
    ...Buffer.from(text, "latin1"),
    ...new Uint8Array(elements),
  ]);
};

describe("NPY", () => {
  test("files of NumPy: all dtypes, both byte orders, both orders of elements, three versions", () => {
    expect(numpy.cases.length).toBe(62);
    for (const { bytes, dtype, shape, values } of numpy.cases) {
      const x = valueOf(parseNpy(bytesOf(bytes)));
      expect([x.dtype, x.shape, valuesOf(x)]).toEqual([dtype, shape, values]);
    }
  });

  test("what is written are the bytes that NumPy writes", () => {
    // Little-endian, in row-major order, version 1.
    const same = numpy.cases.filter(({ bytes }) => {
      const header = Buffer.from(bytes, "base64").toString("latin1", 0, 128);
      return header[6] === "\x01" && !header.includes("'>") && header.includes("False");
    });
    expect(same.length).toBeGreaterThan(15);
    for (const { bytes } of same) {
      const file = bytesOf(bytes);
      expect(Buffer.from(formatNpy(valueOf(parseNpy(file)))).toString("latin1")).toBe(
        Buffer.from(file).toString("latin1"),
      );
    }
  });

  test("reads what was written, bit for bit, wherever the file lies in memory", () => {
    holds(200, [fileArrays(), fc.nat(9)], (x, before) => {
      const file = formatNpy(x);
      expect((file.length - x.data.byteLength) % 64).toBe(0);
      expectSameBits(valueOf(parseNpy(file)), x);
      const inside = new Uint8Array([...new Uint8Array(before), ...file, 1]).subarray(before, before + file.length);
      expectSameBits(valueOf(parseNpy(inside)), x);
    });
  });

  test("arrays keep dtype, shape and values; wide integers are narrowed if they fit", () => {
    for (const x of [
      np.array([[1.5, -2]], "float16"),
      np.array([1.5, NaN], "bfloat16"),
      np.array([true, false]),
      np.ones([2, 0], "int8"),
      np.array(3),
      np.array([1, 2], "float64"),
      np.array([1, 2], "complex64"),
    ]) {
      const y = readNpy(formatNpy(x));
      expect([y.dtype, y.shape, list(y)]).toEqual([x.dtype, x.shape, list(x)]);
    }
    const wide = (dtype: "int64" | "uint64", values: bigint[]) =>
      readNpy(
        formatNpy({
          dtype,
          shape: [values.length],
          data: dtype === "int64" ? BigInt64Array.from(values) : BigUint64Array.from(values),
        }),
      );
    expect(wide("int64", [-5n, 7n]).dtype).toBe("int32");
    expect(list(wide("uint64", [2n ** 32n - 1n]))).toEqual([2 ** 32 - 1]);
    expect(problemOf(() => wide("int64", [2n ** 40n])).kind).toBe("DTypeError");
    const z = arrayOf({ dtype: "complex128", shape: [1], data: Float64Array.of(0.1, 2) });
    expect([z.dtype, list(z)]).toEqual(["complex64", [[Math.fround(0.1), 2]]]);
    expect(bfloat16FromBits(0x3f80)).toBe(1);
  });

  test("an array can be brought into its form for files first", async () => {
    expect(formatNpy(await fileArray([[1, 2]]))).toEqual(formatNpy(np.array([[1, 2]])));
  });

  test("never more than a value or a DataError, whatever the bytes", () => {
    holds(1500, [fileArrays(), damages], (x, damage) => {
      const file = damage(formatNpy(x));
      expectHonest(parseNpy(file), (y) => [y], file.length);
    });
    holds(500, [fc.uint8Array({ maxLength: 80 }), fc.constantFrom(1, 2, 3)], (tail, version) => {
      const file = new Uint8Array([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...tail]);
      expectHonest(parseNpy(file), (y) => [y], file.length);
    });
    // Texts that look like headers.
    holds(
      1000,
      [
        fc.array(
          fc.constantFrom(
            "{",
            "}",
            "'descr'",
            "'shape'",
            "'fortran_order'",
            ":",
            ",",
            "(",
            ")",
            "'<f4'",
            "False",
            " ",
            "9".repeat(15),
            "1",
            "[",
            "\\",
          ),
          { maxLength: 14 },
        ),
      ],
      (words) => {
        const text = words.join("");
        const file = withHeader(text);
        expectHonest(parseNpy(file), (y) => [y], file.length);
      },
    );
  });

  const header = (descr: string, shape: string, order = "False"): string =>
    `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}}`;

  test("says what is wrong", () => {
    expect(codeOf(parseNpy("x" as never))).toBe("NotBytes");
    expect(codeOf(parseNpy(new Uint8Array([1, 2, 3])))).toBe("NotNpy");
    expect(codeOf(parseNpy(withHeader("", 0, 4)))).toBe("NotNpy");
    expect(codeOf(parseNpy(withHeader(header("'<f4'", "(2,)"), 7)))).toBe("Truncated");
    expect(codeOf(parseNpy(withHeader(header("'<f4'", "(2,)"), 9)))).toBe("WrongLength");
    expect(codeOf(parseNpy(withHeader(header("'<f4'", "(4294967295, 4294967295, 4294967295)"))))).toBe("Truncated");
    expect(codeOf(parseNpy(withHeader(header("'<f4'", "(-1,)"))))).toBe("BadHeader");
    expect(codeOf(parseNpy(withHeader(header("'<f4'", `(${"1, ".repeat(65)})`), 4)))).toBe("BadHeader");
    expect(codeOf(parseNpy(withHeader(`${header("'<f4'", "()")} + evil()`, 4)))).toBe("BadHeader");
    expect(codeOf(parseNpy(withHeader(" ".repeat(10_001))))).toBe("BadHeader");
    expect(codeOf(parseNpy(new Uint8Array([...withHeader("", 0, 2).subarray(0, 8), 255, 255, 255, 255])))).toBe(
      "BadHeader",
    );
    expect(codeOf(parseNpy(new Uint8Array([...withHeader(header("'|b1'", "(1,)")), 2])))).toBe("NotBoolean");
    for (const bytes of Object.values(numpy.refused))
      expect(codeOf(parseNpy(bytesOf(bytes)))).toMatch(/UnknownElements|BadHeader/);
    expect(problemOf(() => readNpy(new Uint8Array(3)))).toMatchObject({ kind: "DataError", code: "NotNpy" });
    expect(problemOf(() => formatNpy({ dtype: "float32", shape: [3], data: new Float32Array(2) })).code).toBe(
      "NotAFileArray",
    );
    expect(problemOf(() => formatNpy(random.key(0))).code).toBe("KeyInFile");
  });

  test("as many spaces as a header can have are no way to keep it busy", () => {
    // Patterns that go back would outlast the suite's time limit.
    for (const text of [
      `{${" ".repeat(9990)}`,
      `{'shape': (${" ".repeat(9980)}`,
      `{'descr'${" ".repeat(9900)}x`,
      "{".repeat(9999),
      `{${"'a':(),".repeat(1200)}`,
    ])
      expect(codeOf(parseNpy(withHeader(text)))).toBe("BadHeader");
  });
});

describe("NPZ", () => {
  test("files of NumPy, stored and deflated", () => {
    for (const archive of numpy.archives) {
      const { w, b, zeros, ...others } = readNpz(bytesOf(archive));
      expect([list(w), list(b), zeros!.shape, zeros!.dtype, others]).toEqual([
        [
          [0, 1, 2],
          [3, 4, 5],
        ],
        [1, -1],
        [3000],
        "uint8",
        {},
      ]);
    }
  });

  test("reads what was written, and another reader of ZIP does too", () => {
    const names = fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" }).filter((n) => !n.endsWith(".npy"));
    holds(80, [fc.dictionary(names, fileArrays(), { maxKeys: 4 }), fc.boolean()], (arrays, compress) => {
      const file = formatNpz(arrays, { compress });
      expect(formatNpz(arrays, { compress })).toEqual(file);
      const read = valueOf(parseNpz(file));
      expect(Object.keys(read).sort()).toEqual(Object.keys(arrays).sort());
      for (const [name, x] of Object.entries(arrays)) expectSameBits(read[name]!, x);
      expect(Object.keys(unzipSync(file)).sort()).toEqual(
        Object.keys(arrays)
          .map((n) => `${n}.npy`)
          .sort(),
      );
    });
  });

  test("never more than a value or a DataError, whatever the bytes", () => {
    holds(
      1200,
      [fc.array(fileArrays(), { minLength: 1, maxLength: 3 }), fc.boolean(), damages],
      (arrays, compress, damage) => {
        const file = damage(formatNpz(Object.fromEntries(arrays.map((x, i) => [`a${i}`, x])), { compress }));
        // Deflate gives at most 1032 bytes for one.
        expectHonest(parseNpz(file), (found) => Object.values(found), (compress ? 1032 : 1) * file.length);
      },
    );
    // The directory is at the end.
    holds(
      1200,
      [fileArrays(), fc.array(fc.tuple(fc.nat(110), fc.nat(255)), { minLength: 1, maxLength: 4 })],
      (x, changes) => {
        const file = formatNpz({ x });
        for (const [back, value] of changes) if (back < file.length) file[file.length - 1 - back] = value;
        expectHonest(parseNpz(file), (found) => Object.values(found), file.length);
      },
    );
    holds(300, [fc.uint8Array({ maxLength: 100 })], (bytes) =>
      expectHonest(parseNpz(bytes), (found) => Object.values(found), bytes.length),
    );
  });

  const zeros = { dtype: "uint8", shape: [4_000_000], data: new Uint8Array(4_000_000) } as const;
  /** Changes the field of an entry's size in the directory and in its own header. */
  const withSize = (file: Uint8Array, size: number): Uint8Array => {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    const directory = view.getUint32(file.length - 6, true);
    view.setUint32(directory + 24, size, true);
    view.setUint32(22, size, true);
    return file;
  };

  test("refuses archives that unfold into more than they say, than is possible, or than the limit", () => {
    const honest = formatNpz({ zeros }, { compress: true });
    expect(honest.length).toBeLessThan(10_000);
    expect(valueOf(parseNpz(honest))["zeros"]!.data.length).toBe(4_000_000);
    expect(codeOf(parseNpz(honest, { maxBytes: 1_000_000 }))).toBe("TooLarge");
    expect(codeOf(parseNpz(withSize(honest.slice(), 1000)))).toBe("DamagedEntry");
    expect(codeOf(parseNpz(withSize(honest.slice(), 4_000_000_000)))).toBe("ImpossibleSize");
  });

  test("a bomb is given up long before it has unfolded", () => {
    // 256 MB of zeros in 256 KB, said to be 1000 bytes.
    const bomb = zipSync({ "x.npy": [new Uint8Array(2 ** 28), { level: 9, mtime: new Date(1980, 0, 1) }] });
    expect(bomb.length).toBeLessThan(2 ** 19);
    const file = withSize(bomb, 1000);
    const before = process.memoryUsage().arrayBuffers;
    expect(codeOf(parseNpz(file))).toBe("DamagedEntry");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
  });

  test("says what is wrong", () => {
    const good = formatNpz({ x: [1, 2] });
    expect(codeOf(parseNpz(new Uint8Array(30)))).toBe("NotZip");
    expect(codeOf(parseNpz(good.subarray(0, good.length - 1)))).toBe("NotZip");
    const end = good.length - 22;
    const directory = new DataView(good.buffer).getUint32(end + 16, true);
    const changed = (at: number, ...values: number[]): Uint8Array => {
      const out = good.slice();
      out.set(values, at);
      return out;
    };
    expect(codeOf(parseNpz(changed(directory + 8, 1)))).toBe("UnknownPacking");
    expect(codeOf(parseNpz(changed(directory + 10, 12)))).toBe("UnknownPacking");
    expect(codeOf(parseNpz(changed(directory + 16, 0)))).toBe("DamagedEntry");
    expect(codeOf(parseNpz(changed(end + 10, 255, 255)))).toBe("Zip64");
    expect(codeOf(parseNpz(changed(directory + 42, 255, 255, 255, 254)))).toBe("NotZip");
    expect(codeOf(parseNpz(zipSync({ "a.npy": formatNpy([1]), a: formatNpy([1]) })))).toBe("RepeatedName");
    const inside = parseNpz(zipSync({ "readme.txt": new Uint8Array(3) }));
    expect(codeOf(inside)).toBe("NotNpy");
    expect("left" in inside && inside.left.problem.what).toContain("readme.txt");
    // Two entries of the directory that are one and the same: the way of small archives with large contents.
    const entry = good.subarray(directory, end);
    const doubled = new Uint8Array([...good.subarray(0, directory), ...entry, ...entry, ...good.subarray(end)]);
    new DataView(doubled.buffer).setUint16(end + entry.length + 8, 2, true);
    new DataView(doubled.buffer).setUint16(end + entry.length + 10, 2, true);
    new DataView(doubled.buffer).setUint32(end + entry.length + 12, 2 * entry.length, true);
    expect(codeOf(parseNpz(doubled))).toBe("NotZip");
  });
});
