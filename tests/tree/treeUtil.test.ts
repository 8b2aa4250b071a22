import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NDArray, TreeError, grad, jit, numpy as np, tree, treeUtil } from "../../src/index.ts";
import type { KeyEntry, KeyPath } from "../../src/core/tree.ts";
import { pytrees } from "../../src/testing/index.ts";
import { holds } from "../properties.ts";

const trees = pytrees(fc.integer());
const isArray = (x: unknown): boolean => Array.isArray(x);

describe("names of jax.tree_util", () => {
  test("are those of tree", () => {
    expect(treeUtil.treeMap).toBe(tree.map);
    expect(treeUtil.treeFlatten).toBe(tree.flatten);
    expect(treeUtil.treeTranspose).toBe(tree.transpose);
    expect(treeUtil.PyTreeDef).toBe(tree.PyTreeDef);
  });

  test("one level at a time gives the leaves, the paths and the structure", () =>
    holds(60, [trees], (x) => {
      const leaves: unknown[] = [];
      const paths: KeyPath[] = [];
      const walk = (y: unknown, path: KeyPath): void => {
        if (treeUtil.treedefIsLeaf(treeUtil.treeStructure(y)) && typeof y === "number") {
          leaves.push(y);
          paths.push(path);
          return;
        }
        const [children] = treeUtil.flattenOneLevelWithKeys(y);
        expect(children.map(([, c]) => c)).toEqual(treeUtil.flattenOneLevel(y)[0]);
        for (const [key, child] of children) walk(child, [...path, key]);
      };
      walk(x, []);
      expect(leaves).toEqual(treeUtil.treeLeaves(x));
      expect(paths).toEqual(treeUtil.treeLeavesWithPath(x).map(([p]) => p));
      const def = treeUtil.treeStructure(x);
      const again = treeUtil.treedefTuple(treeUtil.treedefChildren(treeUtil.treeStructure([x, x])));
      expect(again.equals(treeUtil.treeStructure([x, x]))).toBe(true);
      expect(treeUtil.treedefChildren(treeUtil.treedefTuple([def]))[0]).toBe(def);
    }));

  test("isLeaf with and without paths stops at the same places", () =>
    holds(60, [trees], (x) => {
      const plain = treeUtil.treeFlattenWithPath(x, { isLeaf: isArray });
      const byPath = treeUtil.treeFlattenWithPath(x, {
        isLeaf: (_: unknown, y: unknown) => isArray(y),
        isLeafTakesPath: true,
      });
      expect(byPath[0]).toEqual(plain[0]);
      expect(byPath[1].equals(plain[1])).toBe(true);
      const depth = treeUtil.treeLeavesWithPath(x, {
        isLeaf: (path: unknown) => (path as unknown[]).length === 1,
        isLeafTakesPath: true,
      });
      for (const [path] of depth) expect(path.length).toBeLessThan(2);
      const mapped = treeUtil.treeMapWithPath((path: KeyPath) => treeUtil.keystr(path), x, {
        isLeaf: isArray,
      }) as unknown;
      expect(treeUtil.treeLeaves(mapped)).toEqual(plain[0].map(([p]) => treeUtil.keystr(p)));
    }));

  test("structures of nodes, keys and the rest", () => {
    expect([Array, Object, Map, null, Number, Set].map(treeUtil.isTreeNode)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect([[], 1, null, [1]].map((x) => treeUtil.treedefIsLeaf(treeUtil.treeStructure(x)))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    const path = [
      treeUtil.DictKey("a"),
      treeUtil.SequenceKey(1),
      treeUtil.GetAttrKey("w"),
      treeUtil.FlattenedIndexKey(0),
    ];
    expect(treeUtil.keystr(path)).toBe(".a[1].w[0]");
    expect(treeUtil.keystr(path, { simple: true, separator: "/" })).toBe("a/1/w/0");
    expect(treeUtil.treeTranspose(treeUtil.treeStructure([0, 0]), null, [{ a: 1 }, { a: 2 }])).toEqual({ a: [1, 2] });
    const add = (a: number, b: number): number => a + b;
    expect(treeUtil.treeReduce(add, [1, { a: 2 }], 10)).toBe(13);
    expect(treeUtil.treeReduce(add, [1, { a: 2 }], { initializer: 10 })).toBe(13);
    // An object with other fields is the initial value itself.
    expect(treeUtil.treeReduce((a: { n: number }, b: number) => ({ n: a.n + b }), [1, 2], { n: 3 })).toEqual({ n: 6 });
    expect(treeUtil.treeReduceAssociative((a: number, b: number) => a + b, [1, { a: 2 }, [3]])).toBe(6);
    expect(() => treeUtil.flattenOneLevel(3)).toThrow(TreeError);
  });
});

describe("registered classes", () => {
  class Pair {
    readonly a: unknown;
    readonly b: unknown;
    constructor(a: unknown, b: unknown) {
      [this.a, this.b] = [a, b];
    }
    treeFlatten(): [unknown[], null] {
      return [[this.a, this.b], null];
    }
    static treeUnflatten(_: null, [a, b]: unknown[]): Pair {
      return new Pair(a, b);
    }
  }
  class Keyed {
    readonly x: unknown;
    constructor(x: unknown) {
      this.x = x;
    }
    treeFlattenWithKeys(): [[KeyEntry, unknown][], string] {
      return [[[treeUtil.DictKey("the x"), this.x]], "aux"];
    }
    static treeUnflatten(aux: string, [x]: unknown[]): Keyed {
      expect(aux).toBe("aux");
      return new Keyed(x);
    }
  }
  class Mode {
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
    equals(other: Mode): boolean {
      return this.name === other.name;
    }
  }
  class Layer {
    w: NDArray;
    activation: string;
    cache = 0;
    constructor(w: NDArray, activation: string) {
      this.w = w;
      this.activation = activation;
      this.cache = 1;
    }
  }
  expect(treeUtil.registerPytreeNodeClass(Pair)).toBe(Pair);
  treeUtil.registerPytreeWithKeysClass(Keyed);
  treeUtil.registerStatic(Mode);
  treeUtil.registerDataclass(Layer, ["w"], ["activation"], { dropFields: ["cache"] });

  test("come apart and together", () => {
    const pair = treeUtil.treeMap((x: number) => 2 * x, new Pair(1, [new Keyed(2)]));
    expect(pair).toEqual(new Pair(2, [new Keyed(4)]));
    expect(treeUtil.treeLeavesWithPath(new Keyed(1)).map(([p]) => treeUtil.keystr(p))).toEqual(['["the x"]']);
    expect(treeUtil.flattenOneLevel(new Keyed(1))).toEqual([[1], "aux"]);
  });

  test("static ones belong to the structure and decide about traces", () => {
    let traces = 0;
    const f = jit((mode: Mode, x: NDArray) => (traces++, mode.name === "twice" ? x.mul(2) : x));
    expect([f(new Mode("twice"), np.array(3)).item(), f(new Mode("twice"), np.array(4)).item()]).toEqual([6, 8]);
    expect(traces).toBe(1);
    expect(f(new Mode("once"), np.array(3)).item()).toBe(3);
    expect(traces).toBe(2);
  });

  test("data classes go through grad", () => {
    const loss = ((l: Layer) => np.sum(np.square(l.w))) as never;
    const g = (grad(loss) as unknown as (l: Layer) => Layer)(new Layer(np.array([1, 2]), "relu"));
    expect(g).toBeInstanceOf(Layer);
    expect([g.w.js(), g.activation, "cache" in g]).toEqual([[2, 4], "relu", false]);
  });

  test("mistakes", () => {
    class Bare {}
    expect(() => treeUtil.registerPytreeNodeClass(Bare)).toThrow(/treeFlatten\(\) and a static method treeUnflatten/);
    expect(() => treeUtil.registerDataclass(Bare, ["a"], ["a"])).toThrow(/named twice/);
    expect(() => treeUtil.registerDataclass(Bare, undefined as never)).toThrow(/does not know the fields/);
    expect(() =>
      treeUtil.registerPytreeNode(
        Pair,
        () => [[], null],
        () => new Pair(0, 0),
      ),
    ).toThrow(/already registered/);
  });
});
