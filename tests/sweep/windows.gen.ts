/** Samples for `lax/windows.ts`. */
import fc from "fast-check";
import { type Pads, dilated, positionAt } from "../../src/lax/windowGeometry.ts";
import {
  type WindowParams,
  reduceWindowMaxP,
  reduceWindowMinP,
  reduceWindowSumP,
  selectAndGatherAddP,
  selectAndScatterAddP,
  windowPlaces,
} from "../../src/lax/windows.ts";
import { type DType, type HostArray, type Shape, range } from "./core.ts";
import { type Generator, type Sample, arrays, distinctArrays } from "./generator.ts";

type Fill = (shape: Shape, dtype: DType) => fc.Arbitrary<HostArray>;
const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

const axis = fc
  .record({
    n: small(5),
    window: small(3),
    stride: small(3),
    base: small(2),
    dilation: small(2),
    low: fc.integer({ min: -1, max: 2 }),
    high: fc.integer({ min: -1, max: 2 }),
  })
  .filter((a) => dilated(a.n, a.base) + a.low + a.high >= 0);

interface Windows {
  readonly shape: readonly number[];
  readonly p: WindowParams;
}
const windows = (maxDims = 2): fc.Arbitrary<Windows> =>
  fc.array(axis, { maxLength: maxDims }).map((axes) => ({
    shape: axes.map((a) => a.n),
    p: {
      windowDimensions: axes.map((a) => a.window),
      windowStrides: axes.map((a) => a.stride),
      padding: axes.map((a): Pads => [a.low, a.high]),
      baseDilation: axes.map((a) => a.base),
      windowDilation: axes.map((a) => a.dilation),
    },
  }));

const reduced = (fill: Fill, dtypes: readonly DType[]): fc.Arbitrary<Sample> =>
  fc
    .tuple(windows(3), fc.constantFrom(...dtypes))
    .chain(([{ shape, p }, dtype]) => fill(shape, dtype).map((x) => ({ ins: [x], params: p })));

const selected = (perWindow: boolean): fc.Arbitrary<Sample> =>
  fc
    .tuple(windows(), fc.constantFrom<DType>("float64", "float32"), fc.constantFrom("ge", "le"))
    .chain(([{ shape, p }, dtype, select]) => {
      const given = perWindow ? windowPlaces("sample", shape, p) : shape;
      return fc
        .tuple(arrays(given, dtype), distinctArrays(shape, dtype))
        .map((ins) => ({ ins, params: { ...p, select } }));
    });

/** Every window holds an element of the operand: the extremum of padding alone is infinite. */
const covered = ({ ins, params }: Sample): boolean => {
  const { shape } = ins[0]!;
  const p = params as WindowParams;
  const places = windowPlaces("sample", shape, p);
  return shape.every((length, i) => {
    const a = {
      length,
      baseDilation: p.baseDilation[i]!,
      low: p.padding[i]![0],
      window: p.windowDimensions[i]!,
      windowDilation: p.windowDilation[i]!,
      stride: p.windowStrides[i]!,
      places: places[i]!,
    };
    return range(a.places).every((o) => range(a.window).some((k) => positionAt(a, k, o) >= 0));
  });
};

const floats: readonly DType[] = ["float64", "float32"];

export const generators: readonly Generator[] = [
  { primitive: reduceWindowSumP, sample: reduced(arrays, floats) },
  {
    primitive: reduceWindowSumP,
    label: "other dtypes",
    smooth: false,
    sample: reduced(arrays, ["int32", "uint8", "complex64", "float16"]),
  },
  ...[reduceWindowMaxP, reduceWindowMinP].flatMap((primitive) => [
    { primitive, sample: reduced(distinctArrays, floats).filter(covered) },
    {
      primitive,
      label: "ties",
      smooth: false,
      sample: reduced((s, d) => arrays(s, d, { min: 0, max: 1 }), ["float32", "int32", "uint8", "bool"]),
    },
  ]),
  { primitive: selectAndGatherAddP, sample: selected(false) },
  { primitive: selectAndScatterAddP, sample: selected(true) },
];
