/** Lowerings at the values where formulas go wrong: NaN, infinities, signed zeros, extreme integers, ties, odd bits. */
import { describe, expect, test } from "vitest";
import { Aval } from "../../src/core/aval.ts";
import { type DType, bytesPerElement } from "../../src/core/dtype.ts";
import { type HostArray, allocate, lanesOf, roundInPlace } from "../../src/core/hostArray.ts";
import type { AnyPrimitive, Params } from "../../src/core/primitive.ts";
import { bitcastConvertTypeP, reducePrecisionP } from "../../src/lax/cast.ts";
import * as arithmetic from "../../src/lax/arithmetic.ts";
import * as bitwise from "../../src/lax/bitwise.ts";
import * as compare from "../../src/lax/compare.ts";
import * as cumulative from "../../src/lax/cumulative.ts";
import * as elementary from "../../src/lax/elementary.ts";
import * as reduce from "../../src/lax/reduce.ts";
import { scatterMaxP, scatterMinP } from "../../src/lax/scatter.ts";
import { sortP, topKP } from "../../src/lax/sort.ts";
import * as special from "../../src/lax/special.ts";
import { reduceWindowMaxP, selectAndGatherAddP, selectAndScatterAddP } from "../../src/lax/windows.ts";
import { randomNumbers } from "../sweep/hosts.ts";
import { byLowering, byReference } from "./lowerings.ts";

const vector = (dtype: DType, values: readonly number[]): HostArray => {
  const data = allocate(dtype, values.length / lanesOf(dtype));
  data.set(values);
  return roundInPlace({ shape: [values.length / lanesOf(dtype)], dtype, data });
};
const accepts = (p: AnyPrimitive, dtypes: readonly DType[], params: Params): boolean => {
  try {
    p.infer(
      dtypes.map((d) => new Aval([1], d)),
      params,
    );
    return true;
  } catch {
    return false;
  }
};

const odd = [
  0, -0, NaN, Infinity, -Infinity, 1, -1, 2, -2, 3, 0.5, -0.5, 1.5, 2.5, -1.5, -2.5, 1e-3, -1e-3, 1e-10, -1e-10, 1e-30,
  1e-38, 1e-42, -1e-42, 3.4e38, -3.4e38, 88.5, 89, -88, -104, 100, 1e5, 1e10, -1e10, 65504, 65519, 6e-8, 16777216,
  8388607.5, 0.99999994, 1.0000001, 20, -20, 9.5, -9.5,
]; // prettier-ignore
const next = randomNumbers(7);
const spread = Array.from({ length: 300 }, () => (next() * 2 - 1) * 10 ** Math.floor(next() * 8 - 4));
const near = Array.from({ length: 200 }, () => (next() * 2 - 1) * 4);

/** Operands: one list, or all pairs of odd values and some others. */
function operandsOf(count: number, dtype: DType, values: readonly number[], others: readonly number[]): HostArray[] {
  if (count === 1) return [vector(dtype, [...values, ...others])];
  const pairs = values.flatMap((a) => values.map((b) => [a, b]));
  others.forEach((a, i) => pairs.push([a, others[(i * 7 + 3) % others.length]!]));
  return [vector(dtype, pairs.map((p) => p[0]!)), vector(dtype, pairs.map((p) => p[1]!))]; // prettier-ignore
}

function both(p: AnyPrimitive, ins: readonly HostArray[], params: Params): readonly (readonly HostArray[])[] {
  const outs = p.infer(
    ins.map((x) => new Aval(x.shape, x.dtype)),
    params,
  );
  return [byLowering(p, ins, params, outs), byReference(p, ins, params, outs)];
}

/** Expects the same numbers; 0 and −0 are the same, NaNs too, unless zeros count. */
function expectSame(p: AnyPrimitive, ins: readonly HostArray[], params: Params, signedZeros = false): void {
  const [found, wanted] = both(p, ins, params);
  wanted!.forEach((w, k) => {
    const y = found![k]!.data;
    w.data.forEach((v, i) => {
      if (Object.is(v, y[i]) || (!signedZeros && v === y[i])) return;
      const at = ins.map((x) => (x.data.length === w.data.length ? x.data[i] : x.data.join())).join();
      expect.fail(`${p.name}(${at}), result ${k}, place ${i}: ${y[i]}, wanted ${v}`);
    });
  });
}

// ---------------------------------------------------------------- floats

const elementwise = [...arithmetic.primitives, ...compare.primitives, ...elementary.primitives, ...special.primitives];
const withParams: Readonly<Record<string, readonly Params[]>> = {
  integer_pow: [0, 1, 2, 3, -1, -2, 7].map((y) => ({ y })),
  round: [{ roundingMethod: 0 }, { roundingMethod: 1 }],
};
const arityOf = (p: AnyPrimitive, dtype: DType, params: Params): number =>
  accepts(p, [dtype], params) ? 1 : accepts(p, [dtype, dtype], params) ? 2 : 0;

const unit: Partial<Record<DType, number>> = {
  float32: 2 ** -23,
  float64: 2 ** -52,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};

/** By how much a result changes when an operand changes in its last place: what no formula can do better than. */
function sensitivity(p: AnyPrimitive, ins: readonly HostArray[], params: Params, wanted: HostArray): Float64Array {
  const most = new Float64Array(wanted.data.length);
  const outs = [new Aval(wanted.shape, wanted.dtype)];
  for (let k = 0; k < ins.length; k++)
    for (const sign of [1, -1]) {
      const step = 1 + sign * unit[ins[k]!.dtype]!;
      const moved = ins.map((x, i) => (i === k ? { ...x, data: x.data.map((v) => v * step) } : x));
      byReference(p, moved, params, outs)[0]!.data.forEach((v, i) => {
        const change = Math.abs(v - wanted.data[i]!);
        if (change > most[i]!) most[i] = change;
      });
    }
  return most;
}

/** float64 references are themselves off by some 1e−13, and 1e−15 near zeros of a function. */
function expectNear(p: AnyPrimitive, ins: readonly HostArray[], params: Params): void {
  const [found, wanted] = both(p, ins, params).map((r) => r[0]!) as [HostArray, HostArray];
  if (wanted.dtype === "bool") return expectSame(p, ins, params);
  const change = sensitivity(p, ins, params, wanted);
  const { dtype } = wanted;
  wanted.data.forEach((w, i) => {
    const y = found.data[i]!;
    if (w === y || (Number.isNaN(w) && Number.isNaN(y))) return;
    const least = dtype === "float64" ? 1e-15 : dtype === "float16" ? 2 ** -24 : 2 ** -126 * 2 ** -7;
    const relative = dtype === "float64" ? 2e-13 : 4 * unit[dtype]!;
    if (Math.abs(y - w) <= relative * Math.abs(w) + 2 * change[i]! + least) return;
    expect.fail(`${p.name}(${ins.map((x) => x.data[i]).join()}): ${y}, wanted ${w}`);
  });
}

/** Nothing is promised for orders that are not finite, nor where terms x^−order leave the range of float32. */
const moderate = ([order, x]: readonly HostArray[]): HostArray[] => {
  const keep = Array.from(order!.data.keys()).filter((i) => {
    const [n, size] = [Math.abs(order!.data[i]!), Math.abs(x!.data[i]!)];
    return !(n > 40) && !(size > 1e30) && !((n + 1) * Math.log10(size + 1) > 36);
  });
  return [order!, x!].map((v) =>
    vector(
      v.dtype,
      keep.map((i) => v.data[i]!),
    ),
  );
};

describe.each(["float32", "float64", "float16", "bfloat16"] as const)("%s", (dtype) => {
  const cases = elementwise.flatMap((p) =>
    (withParams[p.name] ?? [null]).flatMap((params) => {
      const n = arityOf(p, dtype, params);
      return n > 0 ? [[`${p.name} ${params ? JSON.stringify(params) : ""}`, p, n, params] as const] : [];
    }),
  );
  test.each(cases)("%s", (_, p, n, params) => {
    const ins = operandsOf(n, dtype, odd, [...spread, ...near]);
    expectNear(p, p === special.polygammaP || p === special.zetaP ? moderate(ins) : ins, params);
  });
  test("clamp", () => {
    const [x, y] = operandsOf(2, dtype, odd, spread);
    expectSame(arithmetic.clampP, [x!, y!, vector(dtype, [2]) && { ...vector(dtype, [2]), shape: [] }], null);
  });
  test("neighbours, signs and halves to the bit", () => {
    const [x, y] = operandsOf(2, dtype, odd, spread);
    expectSame(arithmetic.nextafterP, [x!, y!], null, true);
    for (const p of [arithmetic.signP, arithmetic.absP, arithmetic.negP, arithmetic.floorP])
      expectSame(p, [x!], null, true);
    for (const roundingMethod of [0, 1]) expectSame(arithmetic.roundP, [x!], { roundingMethod }, true);
  });
});

test("zeta and polygamma left of 0", () => {
  const q = [-0.5, -1.25, -3.75, -20.5, -0.001, -7.0625, 0.25, 40.5, 1e4];
  for (const dtype of ["float32", "float64"] as const)
    for (const order of [2, 3, 4, 7, 12]) {
      const ins = [vector(dtype, q.map(() => order)), vector(dtype, q)]; // prettier-ignore
      expectNear(special.zetaP, ins, null);
      expectNear(special.polygammaP, ins, null);
    }
});

// ---------------------------------------------------------------- integers and bits

const integers: readonly DType[] = ["int8", "int16", "int32", "uint8", "uint16", "uint32"];
describe.each(integers)("%s", (dtype) => {
  const bits = 8 * bytesPerElement(dtype);
  const extremes = [0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 33, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2 ** bits - 1, 2 ** bits - 2, 2 ** bits - 7, 1000003]; // prettier-ignore
  const cases = [...arithmetic.primitives, ...bitwise.primitives, ...compare.primitives].flatMap((p) =>
    (p.name === "integer_pow" ? [0, 1, 5].map((y) => ({ y })) : [null]).flatMap((params) => {
      const n = arityOf(p, dtype, params);
      return n > 0 ? [[p.name, p, n, params] as const] : [];
    }),
  );
  test.each(cases)(
    "%s",
    (_, p, n, params) =>
    expectSame(p, operandsOf(n, dtype, extremes, spread.map((v) => Math.round(v * 100))), params), // prettier-ignore
  );
  test("powers of floats", () => {
    const [x, n] = operandsOf(2, "float32", [...odd.slice(0, 12), 0.75], near);
    expectNear(arithmetic.powP, [x!, vector("float32", Array.from(n!.data, Math.round))], null);
    expectSame(
      arithmetic.powP,
      [
        x!,
        vector(
          dtype,
          Array.from(n!.data, (v) => (Number.isFinite(v) ? v : 2)),
        ),
      ],
      null,
    );
  });
});

test("bits read as other dtypes", () => {
  const widths: readonly DType[] = [
    "int8",
    "uint8",
    "int16",
    "uint16",
    "float16",
    "bfloat16",
    "int32",
    "uint32",
    "float32",
  ];
  const finite = (x: HostArray): HostArray => ({ ...x, data: x.data.map((v) => (Number.isFinite(v) ? v : 1)) });
  for (const from of widths)
    for (const newDtype of widths) {
      const values = Array.from({ length: 64 }, () => (next() * 2 - 1) * 2 ** Math.floor(next() * 32));
      const x = finite(vector(from, from.includes("float") ? values : values.map(Math.round)));
      const n = bytesPerElement(newDtype) / bytesPerElement(from);
      expectSame(bitcastConvertTypeP, [n > 1 ? { ...x, shape: [64 / n, n] } : x], { newDtype }, true);
    }
});

test("fewer bits", () => {
  const values = [
    ...odd,
    ...spread,
    1.0625,
    1.1875,
    3.25,
    3.75,
    6,
    2 ** -126,
    2 ** -127 * 1.9,
    2 ** -133,
    65520,
    1.5,
    3,
  ];
  for (const dtype of ["float32", "float64", "float16"] as const)
    for (const exponentBits of [2, 3, 5, 8, 11])
      for (const mantissaBits of [0, 1, 3, 7, 10, 22, 23, 30, 52])
        expectSame(reducePrecisionP, [vector(dtype, values)], { exponentBits, mantissaBits }, true);
  const wide = vector("float64", [1e300, -1e-300, 5e-324, 1.7e308, 2 ** -1022 * 1.3, 1 / 3, 2 ** 600 * 1.7]);
  for (const mantissaBits of [0, 5, 23, 51])
    expectSame(reducePrecisionP, [wide], { exponentBits: 11, mantissaBits }, true);
});

// ---------------------------------------------------------------- NaN, ties and signed zeros in larger operations

const awkward = [
  [1, NaN, 2, NaN],
  [NaN, 3, 3, -1],
  [0, -0, 0, -0],
  [-Infinity, -Infinity, -Infinity, -Infinity],
  [Infinity, -Infinity, 5, 5],
  [-2, -0, 0, -3],
];
const matrix = (dtype: DType, rows = awkward): HostArray => ({
  ...vector(dtype, rows.flat()),
  shape: [rows.length, rows[0]!.length],
});

test("extrema and their positions", () => {
  for (const dtype of ["float32", "bfloat16", "int32", "bool"] as const) {
    const x = matrix(dtype, dtype === "bool" ? awkward.map((r) => r.map((v) => Number(v > 0))) : awkward);
    for (const axes of [[0], [1], [0, 1]]) {
      expectSame(reduce.reduceMaxP, [x], { axes });
      expectSame(reduce.reduceMinP, [x], { axes });
    }
    for (const axes of [[0], [1]])
      for (const indexDtype of ["int32", "uint8"]) {
        expectSame(reduce.argmaxP, [x], { axes, indexDtype });
        expectSame(reduce.argminP, [x], { axes, indexDtype });
      }
  }
  const z: HostArray = { ...vector("complex64", awkward.flat()), shape: [4, 3] };
  for (const p of [reduce.reduceMaxP, reduce.reduceMinP, reduce.reduceProdP]) expectSame(p, [z], { axes: [1] });
});

test("running extrema and sums of exponentials", () => {
  const x = matrix("float32");
  for (const reverse of [false, true])
    for (const p of [cumulative.cummaxP, cumulative.cumminP, cumulative.cumsumP])
      expectSame(p, [x], { axis: 1, reverse });
  const [found, wanted] = both(cumulative.cumlogsumexpP, [x], { axis: 1, reverse: false }).map((r) => r[0]!.data);
  wanted!.forEach((w, i) => expect(found![i]).toSatisfy((y: number) => Object.is(y, w) || Math.abs(y - w) < 1e-6));
});

test("sorting: NaN last, zeros equal and stable; top_k: NaN first, 0 before −0", () => {
  const many = matrix("float32", [
    [...odd, 0, -0, NaN, 7, 7],
    [...near.slice(0, odd.length), 1, 1, -0, 0, -0],
  ]);
  const position: HostArray = { ...matrix("int32", [many, many].map((m) => Array.from({ length: m.shape[1]! }, (_, i) => i))) }; // prettier-ignore
  for (const dtype of ["float32", "float64", "float16", "bfloat16", "int8", "uint32"] as const) {
    const x = roundInPlace({ ...many, dtype, data: allocate(dtype, many.data.length).map((_, i) => many.data[i]!) });
    expectSame(sortP, [x], { dimension: 1, isStable: true, numKeys: 1 }, true);
    expectSame(sortP, [x, position], { dimension: 1, isStable: true, numKeys: 1 }, true);
    expectSame(sortP, [x], { dimension: 0, isStable: true, numKeys: 1 }, true);
    for (const k of [0, 1, 9]) expectSame(topKP, [x], { k, axis: 1, isStable: true }, true);
  }
  const z: HostArray = { ...vector("complex64", awkward.flat()), shape: [12] };
  expectSame(sortP, [z, { ...vector("int32", [...Array(12).keys()]) }], { dimension: 0, isStable: true, numKeys: 1 });
  expectSame(sortP, [vector("key<fry>", [1, 2, 3, 4]), vector("int32", [5, 5])].reverse(), { dimension: 0, isStable: true, numKeys: 1 }); // prettier-ignore
});

test("windows", () => {
  const x = matrix("float32");
  const one = { windowStrides: [1, 2], baseDilation: [1, 2], windowDilation: [2, 1], padding: [[1, 2], [3, 1]] }; // prettier-ignore
  const p = { ...one, windowDimensions: [2, 3] };
  expectSame(reduceWindowMaxP, [x], p);
  for (const select of ["ge", "le"]) {
    expectSame(selectAndGatherAddP, [matrix("float32", awkward.map((r, i) => r.map((_, j) => 10 * i + j))), x], { ...p, select }); // prettier-ignore
    const places = selectAndGatherAddP.infer([new Aval(x.shape, "float32"), new Aval(x.shape, "float32")], { ...p, select } as never)[0]!; // prettier-ignore
    const source: HostArray = { shape: places.shape, dtype: "float32", data: Float32Array.from({ length: places.size }, (_, i) => i + 1) }; // prettier-ignore
    expectSame(selectAndScatterAddP, [source, x], { ...p, select });
  }
});

test("scattered extrema", () => {
  const params = {
    dimensionNumbers: { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0], operandBatchingDims: [], scatterIndicesBatchingDims: [] }, // prettier-ignore
    mode: "fill",
    uniqueIndices: false,
    indicesAreSorted: false,
  };
  const indices: HostArray = { ...vector("int32", [0, 1, 2, 0, 5, -1, 3, 3]), shape: [8, 1] };
  for (const p of [scatterMaxP, scatterMinP]) {
    expectSame(p, [vector("float32", [NaN, 1, -0, -Infinity]), indices, vector("float32", [3, NaN, 0, 4, 1, 1, 2, NaN])], params); // prettier-ignore
    expectSame(p, [vector("complex64", [1, 2, NaN, 0, 3, 3, 1, -1]), indices, vector("complex64", [1, 3, 0, 0, NaN, 1, 1, 1, 5, 5, 6, 6, 1, -2, 1, NaN])], params); // prettier-ignore
  }
});
