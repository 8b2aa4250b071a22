/** What tests of file formats share: random arrays of every dtype, and damage. */
import fc from "fast-check";
import { type Either, isLeft, isRight } from "fp-ts/lib/Either.js";
import { expect } from "vitest";
import { type FileArray, type FileDType, elementTypes } from "../../src/data/elements.ts";
import { DataError } from "../../src/core/problem.ts";

export const fileDTypes = Object.keys(elementTypes) as FileDType[];

/** Random arrays of some dtypes, empty and scalar ones among them; any bits that the dtype can have, NaN included. */
export const fileArrays = (dtypes: readonly FileDType[] = fileDTypes): fc.Arbitrary<FileArray> =>
  fc
    .tuple(fc.constantFrom(...dtypes), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }))
    .chain(([dtype, shape]) => {
      const bytes = shape.reduce((a, b) => a * b, 1) * elementTypes[dtype].bytes;
      return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((raw) => {
        const own = dtype === "bool" ? raw.map((b) => b & 1) : raw.slice();
        return { dtype, shape, data: new elementTypes[dtype].make(own.buffer) };
      });
    });

/** The same bits: `toEqual` would take NaN for NaN, whatever their bits. */
export function expectSameBits(found: FileArray, wanted: FileArray): void {
  expect([found.dtype, found.shape, found.data.constructor.name]).toEqual([
    wanted.dtype,
    wanted.shape,
    wanted.data.constructor.name,
  ]);
  const bytes = ({ data }: FileArray): number[] => [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
  expect(bytes(found)).toEqual(bytes(wanted));
}

export type Damage = (file: Uint8Array) => Uint8Array;
/** Bytes changed, cut off, left out, put in, repeated. */
export const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc
    .array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255)), {
      minLength: 1,
      maxLength: 5,
    })
    .map((changes): Damage => (file) => {
      const out = file.slice();
      for (const [at, value] of changes) out[Math.floor(at * out.length)] = value;
      return out;
    }),
  // Headers are where damage hurts most.
  fc.array(fc.tuple(fc.nat(160), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes): Damage => (file) => {
    const out = file.slice();
    for (const [at, value] of changes) if (at < out.length) out[at] = value;
    return out;
  }),
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }).map(
    (part): Damage =>
      (file) =>
        file.slice(0, Math.floor(part * file.length)),
  ),
  fc.tuple(fc.nat(200), fc.nat(8), fc.uint8Array({ maxLength: 8 })).map(([at, less, more]): Damage => (file) => {
    const [a, b] = [Math.min(at, file.length), Math.min(at + less, file.length)];
    return new Uint8Array([...file.subarray(0, a), ...more, ...file.subarray(b)]);
  }),
);

/** A parse of anything ends with a value or a `DataError`, and its arrays have no more than `most` bytes. */
export function expectHonest<T>(
  parsed: Either<DataError, T>,
  arraysOf: (value: T) => readonly FileArray[],
  most: number,
): void {
  if (isLeft(parsed)) {
    expect(parsed.left).toBeInstanceOf(DataError);
    expect(parsed.left.problem.what.length).toBeLessThan(600);
  } else expect(arraysOf(parsed.right).reduce((n, x) => n + x.data.byteLength, 0)).toBeLessThanOrEqual(most);
}

export const codeOf = (parsed: Either<DataError, unknown>): string | null => (isLeft(parsed) ? parsed.left.code : null);

/** The value of a parse that succeeds. */
export function valueOf<T>(parsed: Either<DataError, T>): T {
  if (isRight(parsed)) return parsed.right;
  throw parsed.left;
}
