import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type TreeDef,
  flatten,
  flattenMatching,
  keyString,
  mapTree,
  registerDataclass,
  registerPytreeNode,
  structurallyEqual,
  treeDifferences,
  unflatten,
} from "../../src/core/tree.ts";
import { holds } from "../properties.ts";
import { f32, list, problemOf } from "../support/arrays.ts";

class Pair {
  readonly first: unknown;
  readonly second: unknown;
  readonly tag: string;
  constructor(first: unknown, second: unknown, tag: string) {
    this.first = first;
    this.second = second;
    this.tag = tag;
  }
}
registerPytreeNode(
  Pair,
  (p) => [[p.first, p.second], p.tag],
  (tag, [first, second]) => new Pair(first, second, tag),
);
class Named {
  x: unknown;
  meta: unknown;
}
registerDataclass(Named, { dataFields: ["x"], metaFields: ["meta"] });
const named = (x: unknown, meta: unknown): Named => Object.assign(new Named(), { x, meta });

/** Trees of everything a tree may hold; leaves are numbers and strings. */
const trees: fc.Arbitrary<unknown> = fc.letrec<{ tree: unknown }>((tie) => {
  const key = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.constantFrom("__proto__", "constructor", "toString", "length", "0", "a"),
  );
  const object = fc.uniqueArray(fc.tuple(key, tie("tree")), { maxLength: 3, selector: ([k]) => k }).map((entries) => {
    const out = {};
    for (const [k, v] of entries)
      Object.defineProperty(out, k, { value: v, enumerable: true, writable: true, configurable: true });
    return out;
  });
  return {
    tree: fc.oneof(
      { depthSize: "small" },
      fc.integer(),
      fc.constantFrom(null, undefined, "leaf", f32([1, 2])),
      fc.array(tie("tree"), { maxLength: 3 }),
      object,
      fc
        .uniqueArray(fc.tuple(fc.oneof(fc.string({ maxLength: 2 }), fc.integer()), tie("tree")), {
          maxLength: 3,
          selector: ([k]) => k,
        })
        .map((entries) => new Map(entries as [unknown, unknown][])),
      fc.tuple(tie("tree"), tie("tree"), fc.string({ maxLength: 2 })).map(([a, b, t]) => new Pair(a, b, t)),
      fc.tuple(tie("tree"), fc.array(fc.integer(), { maxLength: 2 })).map(([x, m]) => named(x, m)),
    ),
  };
}).tree;

describe("round trips", () => {
  test("flatten and unflatten give the tree back", () =>
    holds(300, [trees], (t) => {
      const [leaves, def] = flatten(t);
      expect(def.numLeaves).toBe(leaves.length);
      expect(def.paths()).toHaveLength(leaves.length);
      const again = unflatten(def, leaves);
      const [leavesAgain, defAgain] = flatten(again);
      expect(defAgain.equals(def)).toBe(true);
      leaves.forEach((l, i) => expect(Object.is(l, leavesAgain[i])).toBe(true));
      if (typeof t === "object" && t !== null)
        expect(Object.getPrototypeOf(again)).toBe(Object.getPrototypeOf(t) ?? Object.prototype);
    }));
  test("matching against a structure finds the same leaves", () =>
    holds(300, [trees, trees], (t, u) => {
      const [leaves, def] = flatten(t);
      const found: unknown[] = [];
      expect(flattenMatching(def, t, found)).toBe(true);
      expect(found).toHaveLength(leaves.length);
      const matches = flattenMatching(def, u, []);
      expect(matches).toBe(flatten(u)[1].equals(def));
    }));
  test("structures are equal exactly when nothing differs", () =>
    holds(300, [trees, trees], (t, u) => {
      const [a, b] = [flatten(t)[1], flatten(u)[1]];
      expect(treeDifferences(a, b).length === 0).toBe(a.equals(b));
      expect(treeDifferences(a, a)).toEqual([]);
      expect(a.equals(b)).toBe(b.equals(a));
    }));
  test("mapping the identity changes nothing; mapping composes", () =>
    holds(200, [trees], (t) => {
      const [leaves, def] = flatten(t);
      const same = mapTree((x: unknown) => x, t);
      expect(flatten(same)[1].equals(def)).toBe(true);
      expect(flatten(mapTree((x: unknown) => [x], t))[0]).toHaveLength(leaves.length);
      expect(flatten(mapTree((x: unknown, y: unknown) => (x === y ? 1 : 0), t, t))[0].every((v) => v === 1)).toBe(true);
    }));
});

describe("containers", () => {
  test("keys are sorted, whatever the order they were written in", () => {
    expect(flatten({ b: 1, a: 2 })[0]).toEqual([2, 1]);
    expect(flatten({ a: 2, b: 1 })[1].equals(flatten({ b: 1, a: 2 })[1])).toBe(true);
  });
  test("an own __proto__ key stays a key", () => {
    const evil = JSON.parse('{"__proto__": 1, "a": 2}') as object;
    const [leaves, def] = flatten(evil);
    expect(leaves).toEqual([1, 2]);
    const again = unflatten(def, leaves) as object;
    expect(Object.getPrototypeOf(again)).toBe(Object.prototype);
    expect(Object.keys(again).sort()).toEqual(["__proto__", "a"]);
  });
  test("holes in arrays are undefined", () => {
    const [leaves, def] = flatten([1, , 3]);
    expect(leaves).toEqual([1, 3]);
    expect(unflatten(def, leaves)).toEqual([1, undefined, 3]);
  });
  test("objects without a prototype are plain; other classes are leaves", () => {
    expect(flatten(Object.assign(Object.create(null) as object, { a: 1 }))[0]).toEqual([1]);
    const date = new Date(0);
    expect(flatten([date, new Set([1])])[0]).toHaveLength(2);
    expect(flatten(f32([1]))[1].kind).toBe("leaf");
  });
  test("symbols and inherited keys are not looked at", () => {
    expect(flatten({ [Symbol("s")]: 1, a: 2 })[0]).toEqual([2]);
  });
  test("auxiliary data belongs to the structure, by value", () => {
    expect(flatten(new Pair(1, 2, "t"))[1].equals(flatten(new Pair(3, 4, "t"))[1])).toBe(true);
    expect(flatten(new Pair(1, 2, "t"))[1].equals(flatten(new Pair(1, 2, "u"))[1])).toBe(false);
    expect(flatten(named(1, { a: [1] }))[1].equals(flatten(named(2, { a: [1] }))[1])).toBe(true);
  });
  test("a class is registered once", () => {
    const p = problemOf(() => registerPytreeNode(Pair, () => [[], null], () => new Pair(1, 2, ""))); // prettier-ignore
    expect(p.code).toBe("AlreadyRegistered");
  });
});

describe("messages", () => {
  const def = (x: unknown): TreeDef => flatten(x)[1];
  test("paths are written as code", () => {
    const tree = { layers: [{ w: 1, "odd key": 2 }], m: new Map([["k", 3]]), p: new Pair(4, 5, ""), n: named(6, 0) };
    expect(def(tree).paths().map(keyString)).toEqual([
      '.layers[0]["odd key"]',
      ".layers[0].w",
      '.m.get("k")',
      ".n.x",
      ".p[0]",
      ".p[1]",
    ]);
  });
  test("differences are listed by path, ten at most", () => {
    expect(treeDifferences(def({ a: 1, b: [1, 2] }), def({ b: [1, { c: 2 }], d: null }))).toEqual([
      ".a: missing",
      ".b[1]: expected a leaf, found an object with keys c",
      ".d: unexpected",
    ]);
    expect(treeDifferences(def([1, 2]), def([1]))).toEqual(["(top): expected an array of 2, found an array of 1"]);
    const many = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`k${i}`, 1]));
    expect(treeDifferences(def(many), def({}))).toHaveLength(11);
  });
  test("structures print", () => {
    expect(String(def({ a: [1, null], m: new Map([["x", 1]]), p: new Pair(1, [], "") }))).toBe(
      "{ a: [*, null], m: Map(x => *), p: Pair(*, []) }",
    );
  });
  test("the wrong number of leaves", () => {
    expect(problemOf(() => unflatten(def([1, 2]), [1])).code).toBe("LeafCount");
  });
  test("trees that do not go together", () => {
    const p = problemOf(() => mapTree((a: never) => a, { a: [1, 2] }, { a: [1] }));
    expect(p.code).toBe("TreeMismatch");
    expect(p.what).toContain("trees differ at .a: expected an array of 2, found an array of 1");
    expect(
      list((mapTree((a: unknown, b: unknown) => (b as unknown[])[0] ?? a, [1], [[f32([5])]]) as unknown[])[0]),
    ).toEqual([5]);
  });
});

describe("structural equality", () => {
  test("plain data by value, functions and classes by identity", () => {
    const f = (): void => undefined;
    expect(structurallyEqual({ a: [1, NaN, f] }, { a: [1, NaN, f] })).toBe(true);
    expect(structurallyEqual(0, -0)).toBe(false);
    expect(structurallyEqual({ a: 1 }, { a: 1, b: undefined })).toBe(false);
    expect(structurallyEqual({ a: undefined }, { b: undefined })).toBe(false);
    expect(structurallyEqual([1], { 0: 1, length: 1 })).toBe(false);
    expect(structurallyEqual(new Date(0), new Date(0))).toBe(false);
    expect(structurallyEqual(() => 1, () => 1)).toBe(false); // prettier-ignore
    expect(structurallyEqual(null, {})).toBe(false);
  });
});
