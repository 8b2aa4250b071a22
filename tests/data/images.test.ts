import fc from "fast-check";
import * as fastPng from "fast-png";
import { zlibSync } from "fflate";
import * as jpeg from "jpeg-js";
import { describe, expect, test } from "vitest";
import { type FileArray, decodeImage, encodePng, parseImage, parsePng } from "../../src/data/index.ts";
import { crc32 } from "../../src/data/inflate.ts";
import { DataError } from "../../src/core/problem.ts";
import * as np from "../../src/numpy/index.ts";
import { holds, holdsAsync } from "../properties.ts";
import { host, list, problemOf } from "../support/arrays.ts";
import { type Damage, codeOf, damages, expectHonest, valueOf } from "./files.ts";

const images = (channels: readonly number[] = [1, 2, 3, 4]): fc.Arbitrary<FileArray> =>
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(...channels))
    .chain(([h, w, c]) =>
      fc
        .uint8Array({ minLength: h * w * c, maxLength: h * w * c })
        .map((data): FileArray => ({ dtype: "uint8", shape: [h, w, c], data })),
    );

/** Chunks with their checksums. */
const chunk = (type: string, body: ArrayLike<number>): number[] => {
  const checked = [...Buffer.from(type, "latin1"), ...Array.from(body)];
  const word = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  return [...word(body.length), ...checked, ...word(crc32(Uint8Array.from(checked)))];
};
const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
interface Parts {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly kind: number;
  readonly interlace?: number;
  readonly rows: ArrayLike<number>;
  readonly before?: readonly number[];
}
/** A file put together by hand; `rows` are the bytes behind the filter bytes and filter bytes themselves. */
const png = ({ width, height, depth, kind, interlace = 0, rows, before = [] }: Parts): Uint8Array => {
  const word = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  return Uint8Array.from([
    ...signature,
    ...chunk("IHDR", [...word(width), ...word(height), depth, kind, 0, 0, interlace]),
    ...before,
    ...chunk("IDAT", zlibSync(Uint8Array.from(rows))),
    ...chunk("IEND", []),
  ]);
};
const pixels = (file: Uint8Array): number[] => [...(valueOf(parsePng(file)).data as Uint8Array)];

describe("PNG", () => {
  test("another decoder reads what was written, and so do we", () => {
    holds(150, [images()], (x) => {
      const file = encodePng(x);
      const other = fastPng.decode(file, { checkCrc: true });
      expect([other.height, other.width, other.channels, [...other.data]]).toEqual([
        ...x.shape,
        [...(x.data as Uint8Array)],
      ]);
      expect(valueOf(parsePng(file))).toEqual(x);
    });
  });

  test("reads what another encoder wrote: 8 and 16 bits, interlaced and not", () => {
    holds(150, [images(), fc.constantFrom("null" as const, "Adam7" as const), fc.boolean()], (x, interlace, wide) => {
      const [height, width, channels] = x.shape as [number, number, number];
      const data = wide ? Uint16Array.from(x.data as Uint8Array, (v) => v * 257) : (x.data as Uint8Array);
      const file = fastPng.encode({ width, height, channels, depth: wide ? 16 : 8, data }, { interlace });
      expect(valueOf(parsePng(file))).toEqual(x);
    });
  });

  test("few bits, palettes and transparent colours, by hand", () => {
    // Grey of 1, 2 and 4 bits: rows begin at whole bytes.
    expect(pixels(png({ width: 3, height: 2, depth: 1, kind: 0, rows: [0, 0b10100000, 0, 0b01000000] }))).toEqual([
      255, 0, 255, 0, 255, 0,
    ]);
    expect(pixels(png({ width: 3, height: 1, depth: 2, kind: 0, rows: [0, 0b00011100] }))).toEqual([0, 85, 255]);
    expect(pixels(png({ width: 3, height: 1, depth: 4, kind: 0, rows: [0, 0x0f, 0x30] }))).toEqual([0, 255, 51]);
    // A palette, and the alpha of its first colour.
    const colours = chunk("PLTE", [1, 2, 3, 4, 5, 6]);
    expect(pixels(png({ width: 2, height: 1, depth: 1, kind: 3, rows: [0, 0b01000000], before: colours }))).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
    expect(
      pixels(
        png({
          width: 2,
          height: 1,
          depth: 1,
          kind: 3,
          rows: [0, 0b01000000],
          before: [...colours, ...chunk("tRNS", [9])],
        }),
      ),
    ).toEqual([1, 2, 3, 9, 4, 5, 6, 255]);
    // One grey, and one colour, that means nothing.
    expect(
      pixels(png({ width: 2, height: 1, depth: 8, kind: 0, rows: [0, 5, 6], before: chunk("tRNS", [0, 5]) })),
    ).toEqual([5, 0, 6, 255]);
    expect(
      pixels(
        png({
          width: 1,
          height: 1,
          depth: 16,
          kind: 2,
          rows: [0, 1, 2, 3, 4, 5, 6],
          before: chunk("tRNS", [1, 2, 3, 4, 5, 6]),
        }),
      ),
    ).toEqual([1, 3, 5, 0]);
  });

  test("few bits, interlaced: each of the seven images has rows of whole bytes", () => {
    // 8 × 8 pixels of 1 bit; the pass that a pixel comes in is even or odd.
    const order = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"];
    const sizes = [
      [1, 1],
      [1, 1],
      [2, 1],
      [2, 2],
      [4, 2],
      [4, 4],
      [8, 4],
    ] as const;
    const rows = sizes.flatMap(([columns, count], pass) =>
      Array.from({ length: count }, () => [0, pass % 2 === 0 ? (0xff << (8 - columns)) & 255 : 0]).flat(),
    );
    expect(pixels(png({ width: 8, height: 8, depth: 1, kind: 0, interlace: 1, rows }))).toEqual(
      [...order.join("")].map((p) => (Number(p) % 2 === 1 ? 255 : 0)),
    );
  });

  test("every way to predict rows", () => {
    // Rows 1 2 3; then the same less what stands left, above, between, and by Paeth.
    const rows = [0, 1, 2, 3, 1, 1, 1, 1, 2, 0, 0, 0, 3, 1, 1, 1, 4, 0, 0, 0];
    expect(pixels(png({ width: 3, height: 5, depth: 8, kind: 0, rows })).slice(0, 9)).toEqual([
      1, 2, 3, 1, 2, 3, 1, 2, 3,
    ]);
    const other = fastPng.decode(png({ width: 3, height: 5, depth: 8, kind: 0, rows }));
    expect(pixels(png({ width: 3, height: 5, depth: 8, kind: 0, rows }))).toEqual([...other.data]);
  });

  test("never more than a value or a DataError, whatever the bytes", () => {
    // Checksums would stop nearly all damage: they are made right again, so that it gets further.
    const repaired = (file: Uint8Array): Uint8Array => {
      const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
      for (let at = 8; at + 12 <= file.length;) {
        const end = at + 12 + view.getUint32(at);
        if (end > file.length) break;
        view.setUint32(end - 4, crc32(file.subarray(at + 4, end - 4)));
        at = end;
      }
      return file;
    };
    const run = (x: FileArray, damage: Damage, repair: boolean): void => {
      const damaged = damage(encodePng(x));
      const file = repair ? repaired(damaged) : damaged;
      expectHonest(parsePng(file, { maxPixels: 10_000 }), (y) => [y], 80_000);
    };
    holds(1500, [images(), damages, fc.boolean()], run);
    holds(300, [fc.uint8Array({ maxLength: 60 })], (tail) =>
      expectHonest(parsePng(new Uint8Array([...signature, ...tail])), (y) => [y], 0),
    );
  });

  test("says what is wrong", () => {
    const good = { width: 2, height: 1, depth: 8, kind: 0, rows: [0, 1, 2] };
    const code = (parts: Partial<Parts>): string | null => codeOf(parsePng(png({ ...good, ...parts })));
    expect(code({})).toBeNull();
    expect(code({ depth: 3 })).toBe("NotPng");
    expect(code({ kind: 1 })).toBe("NotPng");
    expect(code({ width: 0 })).toBe("NotPng");
    expect(code({ interlace: 2 })).toBe("NotPng");
    expect(code({ kind: 3 })).toBe("NotPng");
    expect(code({ kind: 3, before: chunk("PLTE", [1, 2, 3]) })).toBe("NotPng");
    expect(code({ rows: [5, 1, 2] })).toBe("NotPng");
    expect(code({ rows: [0, 1, 2, 3] })).toBe("NotPng");
    expect(code({ rows: [0, 1] })).toBe("NotPng");
    expect(code({ before: chunk("ABCD", []) })).toBe("NotPng");
    expect(code({ before: chunk("abcd", [1]) })).toBeNull();
    expect(code({ before: chunk("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]) })).toBe("NotPng");
    expect(code({ width: 100_000, height: 100_000 })).toBe("TooLarge");
    expect(code({ width: 8000, height: 8000 })).toBe("Truncated");
    const bytes = png(good);
    expect(codeOf(parsePng(bytes.subarray(0, bytes.length - 1)))).toBe("Truncated");
    bytes[20] = 1;
    expect(codeOf(parsePng(bytes))).toBe("NotPng");
    expect(problemOf(() => encodePng(np.ones([2, 2]))).code).toBe("NotAnImage");
    expect(problemOf(() => encodePng(np.ones([2, 2, 5], "uint8"))).code).toBe("NotAnImage");
    expect(problemOf(() => encodePng(np.ones([0, 2], "uint8"))).code).toBe("NotAnImage");
  });
});

describe("decodeImage", () => {
  const blocks = np.tile(np.array([[[200, 30, 60]]], "uint8"), [16, 24, 1]);
  const file = jpeg.encode(
    { width: 24, height: 16, data: new Uint8Array(Array.from({ length: 24 * 16 }, () => [200, 30, 60, 255]).flat()) },
    95,
  ).data;
  const jpegFile = new Uint8Array(file);

  test("PNG and JPEG", async () => {
    expect(list(await decodeImage(encodePng(blocks)))).toEqual(list(blocks));
    for (const options of [{}, { jpeg }, { jpeg: { default: jpeg } }]) {
      const x = await decodeImage(jpegFile, options);
      expect([x.dtype, x.shape]).toEqual(["uint8", [16, 24, 3]]);
      const found = host(x).data;
      const wanted = host(blocks).data;
      expect(Math.max(...found.map((v, i) => Math.abs(v - wanted[i]!)))).toBeLessThan(6);
    }
  });

  test("what is no image is a DataError", async () => {
    expect(codeOf(await parseImage(new Uint8Array([1, 2, 3]))())).toBe("UnknownImage");
    expect(codeOf(await parseImage("x" as never)())).toBe("NotBytes");
    expect(codeOf(await parseImage(jpegFile.subarray(0, 100))())).toBe("NotJpeg");
    expect(codeOf(await parseImage(jpegFile, { maxPixels: 100 })())).toBe("NotJpeg");
    expect(codeOf(await parseImage(encodePng(blocks), { maxPixels: 100 })())).toBe("TooLarge");
    await expect(decodeImage(new Uint8Array(4))).rejects.toThrow(DataError);
  });

  test("damaged JPEG images never do more than fail", { timeout: 60_000 }, async () => {
    await holdsAsync(400, [damages], async (damage) => {
      const damaged = damage(jpegFile);
      expectHonest(await parseImage(damaged, { maxPixels: 100_000 })(), (y) => [y], 300_000);
    });
  });
});
