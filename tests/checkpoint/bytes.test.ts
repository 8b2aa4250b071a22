import fc from "fast-check";
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { ShapeDtypeStruct, grad, jit, optim, random, tree } from "../../src/index.ts";
import { fromBytes, parseBytes, toBytes } from "../../src/checkpoint/index.ts";
import type { DType } from "../../src/core/dtype.ts";
import { allDTypes } from "../../src/core/dtype.ts";
import { allocate } from "../../src/core/hostArray.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import { CotangentError } from "../../src/core/problem.ts";
import { flatten } from "../../src/core/tree.ts";
import { formatSafetensors, parseSafetensors } from "../../src/data/index.ts";
import * as np from "../../src/numpy/index.ts";
import { damages, valueOf } from "../data/files.ts";
import { holdsAsync } from "../properties.ts";
import { NDArray as NDArrayClass, fromHost, host, list, problemOf } from "../support/arrays.ts";

/** Leaves and structure as plain values, dtypes and weakness included. */
const plain = (x: unknown): unknown => {
  const [leaves, def] = flatten(x);
  const leaf = (y: unknown): unknown => {
    if (!(y instanceof NDArrayClass)) return y;
    const values = y.dtype === "key<fry>" ? random.keyData(y) : y;
    return [y.dtype, y.shape, y.weakType, [...host(values).data]];
  };
  return [String(def), leaves.map(leaf)];
};

const arrays: fc.Arbitrary<NDArray> = fc
  .tuple(fc.constantFrom<DType>(...allDTypes), fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }))
  .chain(([dtype, shape]) => {
    const data = allocate(
      dtype,
      shape.reduce((a, b) => a * b, 1),
    );
    const values = fc.array(dtype === "bool" ? fc.nat(1) : fc.nat(100), {
      minLength: data.length,
      maxLength: data.length,
    });
    return values.map((v) => {
      const own = data.slice();
      own.set(v);
      return fromHost({ shape, dtype, data: own });
    });
  });

const { trees } = fc.letrec<{ trees: unknown }>((tie) => ({
  trees: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    arrays,
    fc.double(),
    fc.boolean(),
    fc.string({ maxLength: 5 }),
    fc.bigInt(),
    fc.constantFrom(null, undefined),
    fc.dictionary(fc.string({ maxLength: 5, unit: "grapheme" }), tie("trees"), { maxKeys: 3, noNullPrototype: true }),
    fc.array(tie("trees"), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.oneof(fc.string({ maxLength: 3 }), fc.integer()), tie("trees")), { maxLength: 3 })
      .map((p) => new Map(p)),
  ),
}));

describe("toBytes and fromBytes", () => {
  test("any tree comes back, with an example and without", async () => {
    await holdsAsync(150, [trees], async (x) => {
      const bytes = await toBytes(x);
      expect(plain(fromBytes(bytes))).toEqual(plain(x));
      expect(plain(fromBytes(bytes, x))).toEqual(plain(x));
      expect(await toBytes(fromBytes(bytes))).toEqual(bytes);
    });
  });

  test("training goes on from a checkpoint as if it had not been interrupted", async () => {
    const optimizer = optim.chain(optim.clipByGlobalNorm(1), optim.adamw(0.1));
    const params = { w: random.normal(random.key(1), [3, 2]), b: np.zeros([2]) };
    type State = ReturnType<typeof optimizer.init>;
    const loss = (p: typeof params, key: NDArray) =>
      np.sum(np.square(np.matmul(random.normal(key, [4, 3]), p.w).add(p.b)));
    const step = jit((p: typeof params, s: State, key: NDArray) => {
      const [now, next] = random.split(key);
      const [u, state] = optimizer.update(grad(loss)(p, now!), s, p);
      return [optim.applyUpdates(p, u), state, next!] as const;
    });
    let run = [params, optimizer.init(params), random.key(7)] as readonly [typeof params, State, NDArray];
    for (let i = 0; i < 3; i++) run = step(...run);
    let resumed = fromBytes(await toBytes(run), run);
    expect(plain(fromBytes(await toBytes(run)))).toEqual(plain(run));
    for (let i = 0; i < 3; i++) [run, resumed] = [step(...run), step(...resumed)];
    expect(plain(resumed)).toEqual(plain(run));
  });

  test("the names of the tensors are the paths of the leaves, for other readers", async () => {
    const bytes = await toBytes(
      {
        layers: [{ w: np.ones([2]) }, { w: np.zeros([1]) }],
        "odd name": np.ones([]),
        __metadata__: np.ones([]),
        key: random.key(3),
      },
      { metadata: { author: "me" } },
    );
    const { tensors, metadata } = valueOf(parseSafetensors(bytes));
    expect(Object.keys(tensors).sort()).toEqual(
      [".__metadata__", '["odd name"]', "key", "layers[0].w", "layers[1].w"].sort(),
    );
    expect(metadata["author"]).toBe("me");
    expect(list(fromBytes(await toBytes(np.array([1, 2]))))).toEqual([1, 2]);
  });

  test("objects of registered classes come back by an example, and only by one", async () => {
    class Pair {
      readonly a: unknown;
      readonly b: unknown;
      constructor(a: unknown, b: unknown) {
        [this.a, this.b] = [a, b];
      }
    }
    tree.registerPytreeNode(
      Pair,
      (p: Pair) => [[p.a, p.b], null],
      (_, [a, b]) => new Pair(a, b),
      () => ["a", "b"],
    );
    const bytes = await toBytes({ pair: new Pair(np.ones([2]), 5) });
    const like = { pair: new Pair(new ShapeDtypeStruct([2], "float32"), 0) };
    const back = fromBytes(bytes, like);
    expect(back.pair).toBeInstanceOf(Pair);
    expect([list(back.pair.a), back.pair.b]).toEqual([[1, 1], 5]);
    expect(problemOf(() => fromBytes(bytes))).toMatchObject({ kind: "DataError", code: "NeedsExample" });
  });

  test("files of others fit an example by their names; keys may be words, numbers arrays", () => {
    const file = formatSafetensors({
      "net.w": np.ones([2]),
      key: new Int32Array([1]),
      rng: random.keyData(random.key(5)),
      rate: { dtype: "float64", shape: [], data: Float64Array.of(0.1) },
    });
    const like = { net: { w: np.zeros([2]) }, rng: random.key(0), rate: 0 };
    const found = fromBytes(file, like, { ignoreUnexpected: true });
    expect([list(found.net.w), list(random.keyData(found.rng)), found.rate]).toEqual([[1, 1], [0, 5], 0.1]);
    expect(problemOf(() => fromBytes(file, like)).what).toContain("key: unexpected");
    expect(problemOf(() => fromBytes(file)).code).toBe("NotACheckpoint");
  });

  test("says which leaves differ", async () => {
    const bytes = await toBytes({ a: np.ones([2]), b: np.ones([2], "int32"), c: 1, d: np.ones([]) });
    const problem = problemOf(() =>
      fromBytes(bytes, { a: np.ones([3]), b: np.ones([2]), c: np.ones([]), e: np.ones([]) } as object),
    );
    expect(problem).toMatchObject({ kind: "TreeError", code: "CheckpointMismatch" });
    for (const line of [
      "a: expected float32[3], found float32[2]",
      "b: expected float32[2], found int32[2]",
      "c: expected float32[], found a number",
      "e: expected float32[], found nothing",
      "d: unexpected",
    ])
      expect(problem.what).toContain(line);
    const many = problemOf(() =>
      fromBytes(bytes, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`x${i}`, 1]))),
    );
    expect(many.what).toContain("and 34 more");
    const parsed = parseBytes(bytes, { a: np.ones([3]) });
    expect(isLeft(parsed) && parsed.left.code).toBe("CheckpointMismatch");
  });

  test("what cannot be saved is refused", async () => {
    await expect(toBytes({ f: () => 1 })).rejects.toThrow(/the leaf f is the function/);
    await expect(toBytes({ d: new Date() })).rejects.toThrow(/the leaf d is a Date/);
    await expect(toBytes(new Map([[{}, 1]]))).rejects.toThrow(/a Map in the tree has the key/);
    expect(
      problemOf(() =>
        jit((x: NDArray) => (void toBytes(x).catch(() => {}), fromBytes(new Uint8Array(1)) as NDArray))(np.ones([])),
      ),
    ).toMatchObject({ code: "Truncated" });
  });

  test("never more than a value or an error of the library, whatever the bytes", async () => {
    const files = await Promise.all(
      [
        { w: np.ones([2]), k: random.key(1), s: [1, null, true, "x", 5n], m: new Map([[1, np.ones([])]]) },
        3,
        [np.array(2).add(1)],
      ].map((x) => toBytes(x)),
    );
    const attempt = (bytes: Uint8Array): void => {
      const parsed = parseBytes(bytes);
      if (isLeft(parsed)) expect(parsed.left).toBeInstanceOf(CotangentError);
    };
    await holdsAsync(1500, [fc.constantFrom(...files), damages], async (file, damage) => attempt(damage(file)));
    // Damage to what stands behind the file's own checks.
    const json = fc.oneof(
      fc.json({ maxDepth: 4 }),
      fc.constantFrom(
        '{"object":[["w","*"]]}',
        '{"list":["*","*"]}',
        '{"map":[[1,"*"]]}',
        '{"class":"A","children":[]}',
        '"*"',
        '{"object":[["a",null],["a",null]]}',
        '{"undefined":true}',
      ),
    );
    const infos = fc.oneof(
      fc.json({ maxDepth: 3 }),
      fc.constantFrom(
        '{"w":{"key":true}}',
        '{"w":{"weak":true}}',
        '{"w":{"value":["bigint","x"]}}',
        '{"w":{"value":["number","1"]}}',
        "{}",
      ),
    );
    await holdsAsync(800, [json, infos], async (structure, leaves) =>
      attempt(
        formatSafetensors(
          { w: [1, 2] },
          { metadata: { cotangent: `{"version":1,"structure":${structure},"leaves":${leaves}}` } },
        ),
      ),
    );
    const deep = `${'{"list":['.repeat(100_000)}"*"${"]}".repeat(100_000)}`;
    attempt(formatSafetensors({}, { metadata: { cotangent: `{"version":1,"structure":${deep},"leaves":{}}` } }));
  });
});
