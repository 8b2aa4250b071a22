/**
 * Memory of whole programs: how close the arena comes to the arrays that live at once, what donation and `checkpoint`
 * save. The ideal is computed here again, from nothing but the steps and slots of the program.
 */
import { describe, expect, test } from "vitest";
import { wasmTarget } from "../../src/backends/wasm/device.ts";
import { type Program, callsOf } from "../../src/compiler/program.ts";
import type { Target } from "../../src/compiler/target.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { flatten } from "../../src/core/tree.ts";
import * as lax from "../../src/lax/index.ts";
import * as np from "../../src/numpy/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { distance } from "../support/arrays.ts";
import { type Compiled, byReference, compiled } from "../support/compiling.ts";
import { gpuTarget } from "../support/gpuTarget.ts";
import { type Layer, adamStep, layersOf } from "../support/models.ts";

const targets: readonly (readonly [string, Target])[] = [
  ["wasm", wasmTarget],
  ["gpu", gpuTarget],
];

/** Slots that a step reads and writes; what is in both is updated in place. */
function slotsOf(
  program: Program,
  i: number,
): { readonly reads: readonly number[]; readonly writes: readonly number[] } {
  const step = program.steps[i]!;
  switch (step.kind) {
    case "launch": {
      const by = (access: string) =>
        program.kernels[step.kernel]!.params.flatMap((p, k) => (p.access !== access ? [step.slots[k]!] : []));
      return { reads: by("write"), writes: by("read") };
    }
    case "copy":
      return { reads: [step.from], writes: [step.to] };
    case "cond":
      return { reads: [step.index, ...step.branches.flatMap((b) => b.inputs)], writes: step.branches[0]!.outputs };
    case "while": {
      const { predicate, body, carries, flag, results } = step;
      return { reads: [...predicate.inputs, ...body.inputs, ...carries[0]], writes: [...carries[1], flag, ...results] };
    }
    case "scan": {
      const { body, carries, results, slicesIn, slicesOut } = step;
      return { reads: [...body.inputs, ...slicesIn], writes: [...carries.flat(), ...results, ...slicesOut] };
    }
    default:
      return { reads: step.inputs, writes: step.outputs };
  }
}

/** An array in the arena: what one step makes, until it is read last. */
interface Stay {
  readonly offset: number;
  readonly bytes: number;
  readonly from: number;
  to: number;
}
/** All arrays in the arena, found by following what is read back to what was written at the same offset. */
function staysOf(program: Program): Stay[] {
  const all: Stay[] = [];
  const now = new Map<number, Stay>();
  const inArena = (slots: readonly number[]) =>
    [...new Set(slots)].flatMap((s) => {
      const { place, bytes } = program.slots[s]!;
      return place.kind === "arena" ? [{ offset: place.offset, bytes }] : [];
    });
  program.steps.forEach((_, i) => {
    const { reads, writes } = slotsOf(program, i);
    for (const { offset } of inArena(reads)) {
      const stay = now.get(offset);
      // Carries of loops are made by the step that reads them.
      if (stay) stay.to = i;
    }
    for (const { offset, bytes } of inArena(writes)) {
      const made: Stay = { offset, bytes, from: i, to: i };
      now.set(offset, made);
      all.push(made);
    }
  });
  return all;
}

/** The largest sum over steps of the bytes of arrays in the arena between the step that makes and the last that reads. */
function idealBytes(program: Program): number {
  const stays = staysOf(program);
  return program.steps.reduce((most, step, i) => {
    // Branches share one arena; predicate and body of a loop have one each.
    const own = new Map<number, number>();
    for (const c of callsOf(step)) own.set(c.arenaOffset, Math.max(own.get(c.arenaOffset) ?? 0, idealBytes(c.program)));
    // An array written over another one is at the same place, and needs no memory of its own.
    const live = new Map(stays.filter((s) => s.from <= i && i <= s.to).map((s) => [s.offset, s.bytes]));
    return Math.max(
      most,
      [...own.values(), ...live.values()].reduce((a, b) => a + b, 0),
    );
  }, 0);
}

/** Arrays that live at the same step share no bytes, unless one was written right over the other. */
function expectDisjoint(program: Program): void {
  const stays = staysOf(program);
  for (const a of stays)
    for (const b of stays) {
      const overlap = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
      const together = Math.max(a.from, b.from) <= Math.min(a.to, b.to);
      const over = a.offset === b.offset && a.bytes === b.bytes && (a.to === b.from || b.to === a.from);
      if (a !== b && overlap && together && !over) expect.fail(`${JSON.stringify(a)}, ${JSON.stringify(b)}`);
    }
}

/** Checks the plan, and gives how much larger the arena is than the ideal. */
function wasteOf({ memory, program }: Compiled): number {
  expect(memory.temporaryBytes).toBe(program.arenaBytes);
  expect(memory.idealTemporaryBytes).toBe(idealBytes(program));
  expectDisjoint(program);
  for (const { place, bytes } of program.slots)
    if (place.kind === "arena") expect(place.offset + bytes).toBeLessThanOrEqual(program.arenaBytes);
  return memory.temporaryBytes / memory.idealTemporaryBytes;
}

const layer = (h: NDArray, { w, b }: Layer): NDArray => np.tanh(np.matmul(h, w).add(b));
const through = (h: NDArray, layers: readonly Layer[]): NDArray => layers.reduce(layer, h);
/** The mean square after all layers, which go through `wrap` in segments. */
const chain =
  (segment: number, wrap: (f: typeof through) => typeof through = (f) => f) =>
  (layers: readonly Layer[], x: NDArray): NDArray => {
    const run = wrap(through);
    let h = x;
    for (let i = 0; i < layers.length; i += segment) h = run(h, layers.slice(i, i + segment));
    return np.mean(np.square(h));
  };

describe.each(targets)("on %s", (_, target) => {
  const options = { target };

  describe("a training step of a 784-512-512-10 perceptron with cross-entropy and Adam", () => {
    const { step, params, state, images, digits } = adamStep([784, 512, 512, 10], 128);
    const args = [params, state, images, digits];
    const c = compiled(step, args, { target, donated: [0, 1] });
    test("takes at most 1.2 times what lives at once", () => {
      expect(wasteOf(c)).toBeLessThanOrEqual(1.2);
    });
    test("needs little beside its arguments: about one and a half activations of the hidden layers", () => {
      expect(c.memory.temporaryBytes).toBeLessThan(0.2 * c.memory.argumentBytes);
    });
    test("writes new parameters and moments over the old ones", () => {
      const donated = flatten([params, state])[0].length;
      // Results: parameters, optimizer state, loss. All but the loss take over an argument of their own shape.
      expect(c.program.reuses.size).toBe(c.program.outputs.length - 1);
      expect(new Set(c.program.reuses.values()).size).toBe(c.program.reuses.size);
      for (const [output, input] of c.program.reuses) {
        expect(input).toBeLessThan(donated);
        expect(c.program.outputs[output]!.shape).toEqual(c.program.inputs[input]!.shape);
        expect(c.program.outputs[output]!.dtype).toBe(c.program.inputs[input]!.dtype);
      }
      const kept = c.program.outputs.findIndex((_, i) => !c.program.reuses.has(i));
      expect(c.program.outputs[kept]!.shape).toEqual([]);
      expect(c.memory.aliasBytes).toBe(c.memory.outputBytes - 4);
      expect(c.memory.peakBytes).toBe(c.memory.argumentBytes + 4 + c.memory.temporaryBytes);
    });
    test("without donation takes new memory for all results", () => {
      const { memory, program } = compiled(step, args, options);
      expect([program.reuses.size, memory.aliasBytes]).toEqual([0, 0]);
      expect(memory.peakBytes).toBeGreaterThanOrEqual(memory.argumentBytes + memory.outputBytes);
    });
  });
  test("a small one is no worse, and computes the same in donated memory", () => {
    const { step, params, state, images, digits } = adamStep([24, 32, 32, 10], 32);
    const args = [params, state, images, digits];
    const c = compiled(step, args, { target, donated: [0, 1] });
    expect(wasteOf(c)).toBeLessThanOrEqual(1.2);
    const wanted = byReference(step, args);
    c.run().forEach((y, i) => expect(distance(y, wanted[i]!, 1e-4), `result ${i}`).toBeNull());
  });

  describe("the gradient of 20 layers", () => {
    const layers = layersOf(new Array<number>(21).fill(32));
    const x = np.ones([512, 32]);
    const activation = 512 * 32 * 4;
    const gradientOf = (f: ReturnType<typeof chain>): Compiled => compiled(grad(f), [layers, x], options);
    const plain = gradientOf(chain(1));
    const cases = {
      "layer by layer": [1, gradientOf(chain(1, checkpoint))],
      "in segments of 4": [4, gradientOf(chain(4, checkpoint))],
      "in segments of 5": [5, gradientOf(chain(5, checkpoint))],
    } as const;
    test("keeps something of every layer without checkpoint", () => {
      expect(wasteOf(plain)).toBeLessThanOrEqual(1.2);
      expect(plain.memory.temporaryBytes).toBeGreaterThan(20 * activation);
    });
    test.each(Object.entries(cases))("%s: takes at most 1.2 times what lives at once, and far less", (_, [n, c]) => {
      expect(wasteOf(c)).toBeLessThanOrEqual(1.2);
      // The results of segments, and of one segment at a time two arrays a layer.
      expect(c.memory.temporaryBytes).toBeLessThanOrEqual((20 / n + 2 * n + 2) * activation);
      expect(c.memory.temporaryBytes).toBeLessThan(0.6 * plain.memory.temporaryBytes);
    });
    test("recomputes a segment right before its gradient, not ahead of its time", () => {
      const [, c] = cases["in segments of 5"];
      // Only the results of segments live longer than it takes to recompute one and to go back through it.
      const long = staysOf(c.program).filter((a) => a.bytes === activation && a.to - a.from > 6 * 5);
      expect(long.length).toBeLessThanOrEqual(20 / 5);
    });
    test("the parts compute the same", () => {
      const few = layersOf(new Array<number>(7).fill(8));
      const y = np.ones([6, 8]).mul(0.3);
      const wanted = byReference(grad(chain(1)), [few, y]);
      for (const n of [1, 2, 3]) {
        const c = compiled(grad(chain(n, checkpoint)), [few, y], options);
        c.run().forEach((g, i) => expect(distance(g, wanted[i]!, 1e-5), `segments of ${n}, result ${i}`).toBeNull());
      }
    });
  });

  test("loops and choices count what their parts need, not the gaps in their arenas", () => {
    const body = (h: NDArray, v: NDArray): NDArray => np.tanh(np.matmul(np.sin(h), v)).add(np.matmul(h, np.cos(v)));
    const f = (h: NDArray, v: NDArray): NDArray => {
      const [last] = lax.scan((c: NDArray, _: null) => [body(c, v), null], h, null, 5);
      const once = lax.whileLoop(
        (c: NDArray) => lax.lt(np.max(c), 0),
        (c: NDArray) => body(c, v),
        last,
      );
      return lax.cond(
        lax.gt(np.sum(once), 0),
        (c: NDArray) => body(body(c, v), v),
        (c: NDArray) => np.exp(c),
        once,
      );
    };
    const c = compiled(f, [np.ones([40, 40]), np.ones([40, 40])], options);
    expect(wasteOf(c)).toBeLessThanOrEqual(1.2);
  });
  test("a loop of training steps, whose arena has gaps, does not count them", () => {
    const { step, params, state, images, digits } = adamStep([24, 32, 32, 10], 32);
    const train = (p: typeof params, s: typeof state): unknown =>
      lax.scan(([q, t]: readonly [typeof params, typeof state], _: null) => [step(q, t, images, digits).slice(0, 2), null] as never, [p, s] as const, null, 3); // prettier-ignore
    const c = compiled(train, [params, state], options);
    const gaps = c.program.steps.flatMap(callsOf).map((call) => call.program.arenaBytes - call.program.idealArenaBytes);
    if (target === wasmTarget) expect(Math.max(...gaps)).toBeGreaterThan(0);
    expect(wasteOf(c)).toBeLessThanOrEqual(1.2);
  });
});

test("memoryAnalysis of a jitted function is that of its program", () => {
  const f = jit((y: NDArray) => np.matmul(np.matmul(y, y), y), { donateArgnums: [0] });
  const analysis = f.lower(np.ones([64, 64])).memoryAnalysis();
  expect(analysis).toMatchObject({ argumentBytes: 16384, outputBytes: 16384, temporaryBytes: 16384, idealTemporaryBytes: 16384 }); // prettier-ignore
});
