/**
 * A sample of what the library computes, for any runtime and device: every primitive, by a sample of each generator of the
 * sweep, and some programs. Each is compared with the reference, primitive by primitive and in one program. Everything is
 * started before anything is read: in Deno a read waits for 11 ms.
 */
import fc from "fast-check";
import { DTypeError, type NDArray, init, jit } from "../../src/index.ts";
import { Aval } from "../../src/core/aval.ts";
import { evaluator } from "../../src/core/evaluator.ts";
import type { HostArray } from "../../src/core/hostArray.ts";
import { hoistConsts } from "../../src/core/jaxpr.ts";
import { Literal } from "../../src/core/ndarray.ts";
import { traceToJaxpr } from "../../src/core/staging.ts";
import { flatten } from "../../src/core/tree.ts";
import { type Call, type Generator, type Sample, callOf, lastPlaces } from "../sweep/generator.ts";
import { generators, titleOf } from "../sweep/registry.ts";
import { onDevice } from "./devices.ts";
import { type SampleProgram, samplePrograms } from "./samplePrograms.ts";
import { distance, fromHost, host } from "./values.ts";

/** The devices that a runtime is to have. */
export const sampledDevices = ["cpu", "wasm", "webgpu"] as const;
export type SampledDevice = (typeof sampledDevices)[number];

export interface LibraryReport {
  /** The kind of the device that was there. */
  readonly device: string;
  /** Primitives that were computed and compared. */
  readonly primitives: readonly string[];
  /** Generators one of whose samples was refused, by a device without float64. */
  readonly refused: readonly string[];
  readonly programs: readonly string[];
  /** What differs from the reference, and what threw. */
  readonly wrong: readonly string[];
}

/** A report without anything that is wrong; what it counts is up to tests. */
export async function librarySample(device: SampledDevice): Promise<LibraryReport> {
  const { kind } = await init(device);
  const primitives = new Set<string>();
  const refused: string[] = [];
  const wrong: string[] = [];
  const attempt = async (title: string, check: () => Promise<unknown>): Promise<void> => {
    try {
      await check();
    } catch (error) {
      wrong.push(`${title}: ${String(error)}`);
    }
  };
  await Promise.all([
    ...generators.map((g) =>
      attempt(titleOf(g), async () => {
        const result = await comparePrimitive(g, device);
        if (result.isCompared) primitives.add(g.primitive.name);
        if (result.isRefused) refused.push(titleOf(g));
      }),
    ),
    ...samplePrograms.map((p) => attempt(p.name, () => compareProgram(p, device))),
  ]);
  return { device: kind, primitives: [...primitives], refused, programs: samplePrograms.map((p) => p.name), wrong };
}

const read = (xs: readonly NDArray[]): Promise<HostArray[]> =>
  Promise.all(
    xs.map((x) => {
      const concrete = x.concrete()!;
      return evaluator().read(concrete instanceof Literal ? evaluator().materialize(concrete) : concrete);
    }),
  );

function same(how: string, found: readonly HostArray[], wanted: readonly HostArray[], tolerance: Tolerance): void {
  if (found.length !== wanted.length) throw new Error(`${how}: ${found.length} results for ${wanted.length}`);
  found.forEach((y, i) => {
    const d = distance(y, wanted[i]!, tolerance(y));
    if (d) throw new Error(`${how}, result ${i}: ${d}\n  found  ${y.data.join()}\n  wanted ${wanted[i]!.data.join()}`);
  });
}
type Tolerance = (y: HostArray) => number;

// ---------------------------------------------------------------- primitives

export interface Compared {
  readonly isCompared: boolean;
  /** Whether a sample was refused for its float64, as on a device that has none. */
  readonly isRefused: boolean;
}

const samplesOf = (samples: fc.Arbitrary<Sample>, count: number): Sample[] =>
  onDevice("cpu", () => fc.sample(samples, { numRuns: 20 + 4 * count, seed: 7 }));

/** Compares up to `count` samples. Of those in float64, a device without it must refuse the first. */
export async function comparePrimitive(g: Generator, device: SampledDevice, count = 1): Promise<Compared> {
  const isNarrow = device === "webgpu";
  const reads: Promise<void>[] = [];
  let isRefused = false;
  for (const s of [...samplesOf(g.sample, count), ...(isNarrow && g.narrow ? samplesOf(g.narrow, count) : [])]) {
    const isEnough = reads.length >= 2 * count;
    if (isEnough && (isRefused || !isNarrow)) break;
    const f = callOf(g, s);
    const wanted = onDevice("cpu", () => f(s.ins.map(fromHost)).map(host));
    if (isNarrow && [...s.ins, ...wanted].some((x) => x.dtype === "float64")) {
      if (!isRefused) expectRefusal(() => onDevice(device, () => f(s.ins.map(fromHost))));
      isRefused = true;
    } else if (!isEnough) reads.push(...compareSample(g, s, f, wanted, device));
  }
  await Promise.all(reads);
  return { isCompared: reads.length > 0, isRefused };
}

function compareSample(
  g: Generator,
  s: Sample,
  f: Call,
  wanted: readonly HostArray[],
  device: SampledDevice,
): Promise<void>[] {
  const eager = (): readonly NDArray[] => f(s.ins.map(fromHost));
  const inProgram = (): readonly NDArray[] => {
    const avals = s.ins.map((x) => new Aval(x.shape, x.dtype));
    const { jaxpr, consts } = traceToJaxpr((...xs) => f(xs), avals, "sweep");
    const program = evaluator().compile(hoistConsts(jaxpr), { name: "sweep", donated: [], device: null });
    return program.run([...consts, ...s.ins.map(fromHost)]);
  };
  return [eager, inProgram].map(async (run) => {
    const found = await onDevice(device, () => read(run()));
    same(`${device}, ${run === eager ? "eager" : "in a program"}`, found, wanted, (y) => lastPlaces(g, y));
  });
}

function expectRefusal(f: () => unknown): void {
  try {
    f();
  } catch (error) {
    if (error instanceof DTypeError) return;
    throw error;
  }
  throw new Error("float64 was not refused");
}

// ---------------------------------------------------------------- programs

const leaves = (x: unknown): NDArray[] => flatten(x)[0] as NDArray[];

/** A program under jit on the device, and by the reference without. */
export async function compareProgram(
  { name, f, args, tolerance = 1e-5 }: SampleProgram,
  device: SampledDevice,
): Promise<void> {
  // Every device can read what lies on wasm.
  const operands = onDevice("wasm", args);
  const wanted = onDevice("cpu", () => leaves(f(...operands)).map(host));
  const found = await onDevice(device, () => read(leaves(jit(f)(...operands))));
  same(`${device}, ${name}`, found, wanted, () => tolerance);
}
