/**
 * The float32 functions on the wasm device against float64, over all of float32: about a million arguments of each, from
 * every binade, and all neighbours of the hard ones. A new elementwise primitive has to be in one of the lists.
 */
import { describe, expect, test } from "vitest";
import { bind1 } from "../../src/core/trace.ts";
import { type Inexact, binaries, unaries, worstOf } from "../support/accuracy.ts";
import { fromHost, host } from "../support/arrays.ts";
import { onDevice } from "../support/devices.ts";
import { primitives } from "../sweep/registry.ts";

/** Results are those of one operation or none, so that there is nothing to measure. */
const exact: readonly string[] = [
  ...["neg", "sign", "abs", "floor", "ceil", "round", "nextafter", "max", "min", "clamp", "rem", "reduce_precision"],
  ...["add", "sub", "mul", "div", "square", "add_any", "is_finite", "eq", "ne", "lt", "le", "gt", "ge", "select_n"],
  ...["and", "or", "xor", "not", "shift_left", "shift_right_logical", "shift_right_arithmetic", "population_count"],
  ...["clz", "real", "imag", "complex", "conj", "convert_element_type", "bitcast_convert_type", "stop_gradient"],
];
/** A product for every factor, and functions of two and more arguments that tests/scipy and the sweep look at. */
const elsewhere: readonly string[] = [
  ...["integer_pow", "zeta", "polygamma", "igamma", "igammac", "igamma_grad_a", "random_gamma_grad"],
  "regularized_incomplete_beta",
];

const floats = (bits: Uint32Array): Float32Array => new Float32Array(bits.buffer, 0, bits.length);
const bitsOf = (x: number): number => new Uint32Array(Float32Array.of(x).buffer)[0]!;

function run({ primitive }: Inexact, ...ins: readonly Float32Array[]): Float32Array {
  const arrays = ins.map((data) => fromHost({ shape: [data.length], dtype: "float32", data: data.slice() }));
  return onDevice("wasm", () => host(bind1(primitive, arrays, null)).data as Float32Array);
}
function check(f: Inexact, ...ins: readonly Float32Array[]): void {
  const { error, at, actual, exact: wanted } = worstOf(f, run(f, ...ins), ins);
  expect(error, `f(${at.join(", ")}) is ${actual}, not ${wanted}`).toBeLessThanOrEqual(f.bound);
}

const count = 2 ** 20;
const hash = (i: number): number => (Math.imul(i, 0x9e3779b1) ^ Math.imul(i, 0x85ebca6b)) >>> 0;
/** One of each 4096 neighbouring bit patterns: all signs and exponents, NaN too. */
const everywhere = floats(Uint32Array.from({ length: count }, (_, i) => i * 4096 + (hash(i) >>> 20)));

const special = [0, 2 ** -149, 2 ** -127, 2 ** -126, 0.5, 1, 2, 3, 2 ** 23, 2 ** 24, 2 ** 31, 3.4028234663852886e38];
/** All floats near the numbers and their negatives. */
const around = (numbers: readonly number[]): Float32Array =>
  Float32Array.from(
    numbers.flatMap((x) => {
      const centre = bitsOf(Math.fround(Math.abs(x)));
      const bits = Array.from({ length: 129 }, (_, i) => centre - 64 + i).filter((b) => b >= 0 && b <= 0x7f800000);
      return [...floats(Uint32Array.from(bits))].flatMap((v) => [v, -v]);
    }),
  );
const powersOfTwo = Array.from({ length: 277 }, (_, i) => 2 ** (i - 149));

describe("functions of one argument", () => {
  test.each(unaries.map((f) => [f.primitive.name, f] as const))("%s everywhere", (_, f) => check(f, everywhere));

  test.each(unaries.map((f) => [f.primitive.name, f] as const))("%s where it is hard", (_, f) =>
    check(f, around([...special, ...powersOfTwo, Infinity, ...(f.hard ?? [])])),
  );
});

describe("functions of two arguments", () => {
  /** A fixed sequence that looks random. */
  const scattered = (seed: number, f: (u: number) => number): Float32Array =>
    Float32Array.from({ length: count / 4 }, (_, i) => f(hash(i + seed * count)));
  const anything = (u: number): number => floats(Uint32Array.of(u))[0]!;
  const within =
    (low: number, high: number) =>
    (u: number): number =>
      low + ((high - low) * u) / 2 ** 32;
  const whole = (u: number): number => (u % 41) - 20;
  const specials = [...special, Infinity, 0.75, 1.5, 2.5, 16777215].flatMap((x) => [x, -x]).concat(NaN);

  test.each(binaries.map((f) => [f.primitive.name, f] as const))("%s", (_, f) => {
    check(f, scattered(1, anything), scattered(2, anything));
    check(f, scattered(3, within(0, 4)), scattered(4, within(-60, 60)));
    check(f, scattered(5, within(0.99, 1.01)), scattered(6, within(-9000, 9000)));
    check(f, scattered(7, within(-30, 30)), scattered(8, whole));
    check(f, scattered(9, within(-1, 1)), scattered(10, within(-1, 1)));
  });
  test.each(binaries.map((f) => [f.primitive.name, f] as const))("%s of special values", (_, f) => {
    const pairs = specials.flatMap((x) => specials.map((y) => [x, y] as const));
    check(f, Float32Array.from(pairs, ([x]) => x), Float32Array.from(pairs, ([, y]) => y)); // prettier-ignore
  });
});

test("every elementwise primitive is looked at, here or elsewhere", () => {
  const known = [...unaries, ...binaries].map((f) => f.primitive.name).concat(exact, elsewhere);
  const names = primitives.filter((p) => p.kind === "elementwise").map((p) => p.name);
  expect(names.filter((n) => !known.includes(n))).toEqual([]);
  expect(known.filter((n, i) => known.indexOf(n) !== i)).toEqual([]);
});
