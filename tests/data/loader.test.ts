import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Loader, type LoaderOptions, type LoaderState, loader } from "../../src/data/index.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { holdsAsync } from "../properties.ts";
import { list, problemOf } from "../support/arrays.ts";

const collect = async <T>(batches: AsyncIterable<T>): Promise<T[]> => {
  const out: T[] = [];
  for await (const b of batches) out.push(b);
  return out;
};
const numbers = async (batches: Loader<unknown>): Promise<number[][]> =>
  (await collect(batches)).map((b) => list(b) as number[]);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The same examples from every kind of source. */
const sources = {
  array: (n: number) => np.arange(n),
  "typed array": (n: number) => Int32Array.from(upTo(n)),
  generator: (n: number) =>
    function* () {
      yield* upTo(n);
    },
  "async generator": (n: number) =>
    async function* () {
      for (const i of upTo(n)) {
        if (i % 3 === 0) await new Promise((done) => setTimeout(done, 0));
        yield i;
      }
    },
  "function of a list": (n: number) => () => upTo(n),
  set: (n: number) => new Set(upTo(n)),
} as const;
const kinds = Object.keys(sources) as (keyof typeof sources)[];
const load = (kind: keyof typeof sources, n: number, options: LoaderOptions<never, unknown>): Loader<unknown> =>
  loader(sources[kind](n) as object, options as never);

const settings = fc.record({
  kind: fc.constantFrom(...kinds),
  count: fc.integer({ min: 1, max: 17 }),
  options: fc.record(
    {
      batchSize: fc.integer({ min: 1, max: 6 }),
      shuffle: fc.boolean(),
      shuffleBuffer: fc.integer({ min: 1, max: 20 }),
      dropRemainder: fc.boolean(),
      epochs: fc.integer({ min: 1, max: 3 }),
      prefetch: fc.nat(3),
      seed: fc.nat(9),
    },
    { requiredKeys: ["batchSize"] },
  ),
});

describe("loader", () => {
  test(
    "every example comes exactly once an epoch, in batches of one size; the same seed gives the same batches",
    { timeout: 120_000 },
    async () => {
      await holdsAsync(60, [settings], async ({ kind, count, options }) => {
        const { batchSize, dropRemainder = false, epochs = 1, shuffle = false } = options;
        const batches = await numbers(load(kind, count, options));
        expect(await numbers(load(kind, count, options))).toEqual(batches);
        const each = dropRemainder ? Math.floor(count / batchSize) : Math.ceil(count / batchSize);
        expect(batches.length).toBe(each * epochs);
        for (let e = 0; e < epochs; e++) {
          const epoch = batches.slice(e * each, (e + 1) * each);
          expect(
            epoch.every(
              (b, i) => b.length === batchSize || (!dropRemainder && i === each - 1 && b.length === count % batchSize),
            ),
          ).toBe(true);
          const seen = epoch.flat();
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen.every((i) => i >= 0 && i < count)).toBe(true);
          if (!dropRemainder) expect(seen.length).toBe(count);
          if (!shuffle) expect(seen).toEqual(upTo(count).slice(0, seen.length));
        }
      });
    },
  );

  test(
    "a resumed run is the uninterrupted one, batch for batch, whatever was prepared ahead",
    { timeout: 120_000 },
    async () => {
      await holdsAsync(60, [settings, fc.nat(12)], async ({ kind, count, options }, stop) => {
        const transform = (b: NDArray, { key, epoch, batch }: { key: NDArray; epoch: number; batch: number }) => [
          list(b),
          list(random.keyData(key)),
          epoch,
          batch,
        ];
        const all = { ...options, transform } as never;
        const whole = await collect(load(kind, count, all));
        const first = load(kind, count, all);
        const seen: unknown[] = [];
        let state: LoaderState = first.state;
        if (stop > 0)
          for await (const b of first) {
            seen.push(b);
            state = JSON.parse(JSON.stringify(first.state)) as LoaderState;
            if (seen.length === stop) break;
          }
        const rest = await collect(load(kind, count, { ...(all as object), state } as never));
        expect([...seen, ...rest]).toEqual(whole);
      });
    },
  );

  test("orders differ from epoch to epoch and from seed to seed; a whole buffer can give any order", async () => {
    for (const kind of ["array", "generator"] as const) {
      const [a, b] = (await numbers(load(kind, 40, { batchSize: 40, shuffle: true, epochs: 2 }))) as [
        number[],
        number[],
      ];
      const [c] = await numbers(load(kind, 40, { batchSize: 40, shuffle: true, seed: 1 }));
      expect([a.join(), b.join(), c!.join(), upTo(40).join()].filter((x, i, all) => all.indexOf(x) === i).length).toBe(
        4,
      );
    }
    // Of three examples all six orders come about equally often: 1200 draws give 200 ± 13 each.
    const counts = new Map<string, number>();
    for (const order of await numbers(load("generator", 3, { batchSize: 3, shuffle: true, epochs: 1200 })))
      counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
    expect(counts.size).toBe(6);
    for (const n of counts.values()) expect(Math.abs(n - 200)).toBeLessThan(60);
  });

  test("trees of arrays stay together; streams of trees are stacked", async () => {
    const x = random.normal(random.key(0), [7, 2]);
    const tree = { x, y: [Int32Array.from(upTo(7))] };
    for await (const b of loader(tree, { batchSize: 3, shuffle: true }))
      expect(list(b.x)).toEqual(list(np.take(x, b.y[0]!, 0)));
    const examples = () =>
      upTo(3).map((i) => ({ i, f: Float64Array.of(i, 0.5), x: x.slice(i), ok: i > 0, nested: [i, [i]] }));
    const [b] = await collect(loader(examples, { batchSize: 3 }));
    expect([b!.i.dtype, b!.f.dtype, b!.f.shape, b!.x.shape, list(b!.ok), b!.ok.dtype]).toEqual([
      "float32",
      "float64",
      [3, 2],
      [3, 2],
      [0, 1, 1],
      "bool",
    ]);
    const key = random.split(random.key(0), 4);
    expect((await collect(loader(key, { batchSize: 2 })))[1]!.dtype).toBe("key<fry>");
  });

  test("for ever, until one stops", async () => {
    let n = 0;
    for await (const _ of loader(np.arange(3), { batchSize: 2, epochs: Infinity, shuffle: true, prefetch: 2 }))
      if (++n === 25) break;
    expect(n).toBe(25);
    expect(await collect(loader(np.zeros([0, 2]), { batchSize: 2, epochs: Infinity }))).toEqual([]);
    expect(await collect(loader(() => [], { batchSize: 2, epochs: Infinity }))).toEqual([]);
  });

  test("a run that stops early closes the source, and nothing is left behind", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      for (const prefetch of [0, 1, 5]) {
        let [made, closed] = [0, 0];
        const source = async function* () {
          try {
            for (let i = 0; ; i++) {
              await new Promise((done) => setTimeout(done, 0));
              // What is prepared ahead and never asked for fails unseen.
              if (i === 9) throw new Error("too far");
              made++;
              yield i;
            }
          } finally {
            closed++;
          }
        };
        for await (const b of loader(source, { batchSize: 2, prefetch })) {
          expect(list(b)).toEqual([0, 1]);
          break;
        }
        expect([closed, made <= 2 * (prefetch + 2)]).toEqual([1, true]);
        const iterator = loader(source, { batchSize: 2, prefetch })[Symbol.asyncIterator]();
        expect(await iterator.return()).toEqual({ done: true, value: undefined });
        expect(await iterator.next()).toEqual({ done: true, value: undefined });
      }
      await new Promise((done) => setTimeout(done, 20));
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });

  test("errors of the source and of the transform reach the consumer in their turn, and close the source", async () => {
    for (const prefetch of [0, 3]) {
      let closed = 0;
      const failing = function* () {
        try {
          yield* upTo(4);
          throw new Error("no more disk");
        } finally {
          closed++;
        }
      };
      const seen: unknown[] = [];
      const batches = loader(failing, { batchSize: 2, prefetch });
      await expect(
        (async () => {
          for await (const b of batches) seen.push(list(b));
        })(),
      ).rejects.toThrow("no more disk");
      expect([seen, closed, batches.state]).toEqual([
        [
          [0, 1],
          [2, 3],
        ],
        1,
        { epoch: 0, batch: 2 },
      ]);
      const transform = (b: NDArray, { batch }: LoaderState): NDArray => {
        if (batch === 1) throw new Error("bad batch");
        return b;
      };
      await expect(numbers(loader(np.arange(6), { batchSize: 2, prefetch, transform }))).rejects.toThrow("bad batch");
    }
    await expect(collect(loader((() => 5) as never, { batchSize: 1 }))).rejects.toMatchObject({ code: "NotIterable" });
    await expect(collect(loader(() => [{ a: 1 }, { b: 1 }], { batchSize: 2 }))).rejects.toMatchObject({
      code: "ExampleStructures",
    });
  });

  test("prefetching keeps as many batches ready as it says", async () => {
    let made = 0;
    const source = function* () {
      for (;;) yield made++;
    };
    const iterator = loader(source, { batchSize: 1, prefetch: 3 })[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise((done) => setTimeout(done, 20));
    expect(made).toBe(4);
    await iterator.return();
  });

  test("iterators and streams of the platform can be gone through once", async () => {
    const stream = new ReadableStream({
      start(controller) {
        for (const i of upTo(5)) controller.enqueue(i);
        controller.close();
      },
    }) as unknown as AsyncIterable<number>;
    expect(await numbers(loader(stream, { batchSize: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    expect(await numbers(loader(upTo(3).values(), { batchSize: 2 }))).toEqual([[0, 1], [2]]);
    expect(problemOf(() => loader(upTo(3).values(), { batchSize: 2, epochs: 2 })).code).toBe("OnlyOneEpoch");
  });

  test("says what is wrong", () => {
    expect(problemOf(() => loader(np.arange(3), { batchSize: 0 })).code).toBe("LoaderOptions");
    expect(problemOf(() => loader(np.arange(3), { batchSize: 1, prefetch: -1 })).code).toBe("LoaderOptions");
    expect(problemOf(() => loader(np.arange(3), { batchSize: 1, seed: 1, key: random.key(1) })).code).toBe(
      "LoaderOptions",
    );
    expect(problemOf(() => loader({ x: np.arange(3), y: np.arange(4) }, { batchSize: 1 })).what).toContain(
      ".y is int32[4], where 3",
    );
    expect(problemOf(() => loader([1, 2] as object, { batchSize: 1 })).code).toBe("NotExamples");
    expect(problemOf(() => loader(np.ones([]), { batchSize: 1 })).code).toBe("ExampleCounts");
    expect(problemOf(() => loader({}, { batchSize: 1 })).code).toBe("ExampleCounts");
  });
});
