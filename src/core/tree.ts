/**
 * Pytrees: nests of containers with leaves. Containers are plain objects (keys sorted), arrays, Maps (keys in
 * insertion order), `null`/`undefined` (no leaves), and classes registered with `registerPytreeNode`; everything else
 * is a leaf. A `TreeDef` is the structure without the leaves; structures are compared with `equals`.
 */
import { NDArray } from "./ndarray.ts";
import { ArgumentError, TreeError } from "./problem.ts";

/** One step of a path: an object key, a position, a Map key, or a registered class's own entry. */
export type KeyEntry =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "mapKey"; readonly key: unknown }
  | { readonly kind: "attribute"; readonly name: string };
export type KeyPath = readonly KeyEntry[];

const identifier = /^[A-Za-z_$][\w$]*$/;

/** A path as it would be written in code: `.layers[0].w`. */
export const keyString = (path: KeyPath): string =>
  path
    .map((k) => {
      switch (k.kind) {
        case "key":
          return identifier.test(k.key) ? `.${k.key}` : `[${JSON.stringify(k.key)}]`;
        case "index":
          return `[${k.index}]`;
        case "mapKey":
          return `.get(${typeof k.key === "string" ? JSON.stringify(k.key) : String(k.key)})`;
        case "attribute":
          return `.${k.name}`;
      }
    })
    .join("");

type ClassOf<T> = abstract new (...args: never[]) => T;

/** How a registered class comes apart and together. Auxiliary data is compared structurally. */
export interface NodeType<T, Aux = unknown> {
  readonly flatten: (node: T) => readonly [children: readonly unknown[], aux: Aux];
  readonly unflatten: (aux: Aux, children: readonly unknown[]) => T;
  /** Names of the children, or their path entries, for paths. Default: their positions. */
  readonly keys?: (node: T) => readonly (string | KeyEntry)[];
}

const registered = new Map<unknown, NodeType<never>>();

/**
 * Registers a class as a container.
 *
 * @param flatten gives the children and auxiliary data that belongs to the structure (compared structurally).
 * @param unflatten puts them together again; it is also called with tracers and placeholders as children.
 * @example
 * class Pair { constructor(readonly a: unknown, readonly b: unknown) {} }
 * tree.registerPytreeNode(Pair, (p) => [[p.a, p.b], null], (_, [a, b]) => new Pair(a, b));
 */
export function registerPytreeNode<T, Aux>(
  type: ClassOf<T>,
  flatten: NodeType<T, Aux>["flatten"],
  unflatten: NodeType<T, Aux>["unflatten"],
  keys?: NodeType<T, Aux>["keys"],
): void {
  if (registered.has(type))
    throw new ArgumentError("AlreadyRegistered", {
      what: `registerPytreeNode: class ${type.name} is already registered`,
      why: "one class has one way of being flattened",
      fix: "register every class once, next to its definition",
    });
  registered.set(type, (keys ? { flatten, unflatten, keys } : { flatten, unflatten }) as unknown as NodeType<never>);
}

/** Registers a class whose children are the named fields; all other fields are auxiliary data. */
export function registerDataclass<T extends object>(
  type: ClassOf<T>,
  options: { readonly dataFields: readonly string[]; readonly metaFields?: readonly string[] },
): void {
  const { dataFields, metaFields = [] } = options;
  const read = (node: T, names: readonly string[]): unknown[] => names.map((n) => (node as Record<string, unknown>)[n]);
  registerPytreeNode<T, unknown[]>(
    type,
    (node) => [read(node, dataFields), read(node, metaFields)],
    (aux, children) => {
      const node = Object.create((type as { prototype: object }).prototype) as Record<string, unknown>;
      dataFields.forEach((n, i) => (node[n] = children[i]));
      metaFields.forEach((n, i) => (node[n] = aux[i]));
      return node as T;
    },
    () => dataFields,
  );
}

type NodeKind = "leaf" | "none" | "list" | "object" | "map" | "custom";

/** The structure of a tree. */
export class TreeDef {
  readonly kind: NodeKind;
  readonly children: readonly TreeDef[];
  /** Keys of an object or a Map; `[type, aux]` of a registered class; `null` or `undefined` for none. */
  readonly data: readonly unknown[];
  readonly numLeaves: number;
  /** Names or path entries of a registered class's children. */
  readonly names: readonly (string | KeyEntry)[] | undefined;
  constructor(
    kind: NodeKind,
    children: readonly TreeDef[],
    data: readonly unknown[],
    names?: readonly (string | KeyEntry)[],
  ) {
    this.kind = kind;
    this.children = children;
    this.data = data;
    this.names = names;
    this.numLeaves = kind === "leaf" ? 1 : children.reduce((n, c) => n + c.numLeaves, 0);
  }

  equals(other: TreeDef): boolean {
    if (this === other) return true;
    return (
      this.kind === other.kind &&
      this.children.length === other.children.length &&
      (this.kind === "none" || structurallyEqual(this.data, other.data)) &&
      this.children.every((c, i) => c.equals(other.children[i]!))
    );
  }

  /** The path entry of child `i`. */
  entry(i: number): KeyEntry {
    switch (this.kind) {
      case "object":
        return { kind: "key", key: this.data[i] as string };
      case "map":
        return { kind: "mapKey", key: this.data[i] };
      case "custom": {
        const name = this.names?.[i];
        if (typeof name === "object") return name;
        return this.names ? { kind: "attribute", name: name ?? String(i) } : { kind: "index", index: i };
      }
      default:
        return { kind: "index", index: i };
    }
  }

  /** Paths of all leaves, in order. */
  paths(prefix: KeyPath = []): KeyPath[] {
    if (this.kind === "leaf") return [prefix];
    return this.children.flatMap((c, i) => c.paths([...prefix, this.entry(i)]));
  }

  /** The structure with `*` for leaves: `{ b: *, w: [*, *] }`. */
  toString(): string {
    const parts = this.children.map(String);
    switch (this.kind) {
      case "leaf":
        return "*";
      case "none":
        return "null";
      case "list":
        return `[${parts.join(", ")}]`;
      case "object":
        return parts.length ? `{ ${parts.map((p, i) => `${String(this.data[i])}: ${p}`).join(", ")} }` : "{}";
      case "map":
        return `Map(${parts.map((p, i) => `${String(this.data[i])} => ${p}`).join(", ")})`;
      case "custom":
        return `${(this.data[0] as { name: string }).name}(${parts.join(", ")})`;
    }
  }
}

export const leafDef = new TreeDef("leaf", [], []);
const nullDef = new TreeDef("none", [], [null]);
const undefinedDef = new TreeDef("none", [], [undefined]);

/** Compares plain data by value, class instances by their `equals` method, functions and the rest by identity. */
export function structurallyEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((x, i) => structurallyEqual(x, b[i]));
  const [p, q] = [Object.getPrototypeOf(a) as unknown, Object.getPrototypeOf(b) as unknown];
  if (p !== q) return false;
  if (p !== Object.prototype && p !== null) {
    const { equals } = a as { equals?: unknown };
    return typeof equals === "function" && Boolean(equals.call(a, b));
  }
  const [ka, kb] = [Object.keys(a), Object.keys(b)];
  return (
    ka.length === kb.length &&
    ka.every(
      (k) =>
        Object.hasOwn(b, k) && structurallyEqual((a as Record<string, unknown>)[k], (b as Record<string, unknown>)[k]),
    )
  );
}

export type IsLeaf = (x: unknown) => boolean;

const isPlainObject = (x: object): x is Record<string, unknown> => {
  const p = Object.getPrototypeOf(x) as unknown;
  return p === Object.prototype || p === null;
};

/** Appends the leaves of `x` to `leaves` and gives its structure. */
export function flattenInto(x: unknown, leaves: unknown[], isLeaf?: IsLeaf): TreeDef {
  if (x instanceof NDArray || isLeaf?.(x)) {
    leaves.push(x);
    return leafDef;
  }
  if (x === null) return nullDef;
  if (x === undefined) return undefinedDef;
  if (typeof x === "object") {
    if (Array.isArray(x))
      return new TreeDef(
        "list",
        Array.from(x, (c) => flattenInto(c, leaves, isLeaf)),
        [],
      );
    if (isPlainObject(x)) {
      const keys = Object.keys(x).sort();
      return new TreeDef(
        "object",
        keys.map((k) => flattenInto(x[k], leaves, isLeaf)),
        keys,
      );
    }
    if (x instanceof Map) {
      const keys = [...x.keys()] as unknown[];
      return new TreeDef(
        "map",
        keys.map((k) => flattenInto(x.get(k), leaves, isLeaf)),
        keys,
      );
    }
    const type = (x as { constructor?: unknown }).constructor;
    const node = registered.get(type) as NodeType<unknown> | undefined;
    if (node) {
      const [children, aux] = node.flatten(x);
      return new TreeDef(
        "custom",
        children.map((c) => flattenInto(c, leaves, isLeaf)),
        [type, aux],
        node.keys?.(x),
      );
    }
  }
  leaves.push(x);
  return leafDef;
}

/** Leaves and structure of a tree. */
export function flatten(x: unknown, isLeaf?: IsLeaf): [leaves: unknown[], treedef: TreeDef] {
  const leaves: unknown[] = [];
  const def = flattenInto(x, leaves, isLeaf);
  return [leaves, def];
}

/**
 * The allocation-free form of `flatten` for callers that expect a structure: appends the leaves if `x` has exactly the
 * structure `def`, else gives false (and may have appended some).
 */
export function flattenMatching(def: TreeDef, x: unknown, leaves: unknown[]): boolean {
  if (def.kind === "leaf") {
    if (x === null || x === undefined || (typeof x === "object" && !(x instanceof NDArray) && isContainer(x)))
      return false;
    leaves.push(x);
    return true;
  }
  if (x instanceof NDArray) return false;
  const { children, data } = def;
  switch (def.kind) {
    case "none":
      return x === null || x === undefined;
    case "list":
      if (!Array.isArray(x) || x.length !== children.length) return false;
      for (let i = 0; i < children.length; i++) if (!flattenMatching(children[i]!, x[i], leaves)) return false;
      return true;
    case "object": {
      if (typeof x !== "object" || x === null || !isPlainObject(x) || Array.isArray(x)) return false;
      let count = 0;
      for (const k in x) {
        if (!Object.hasOwn(x, k)) continue;
        count++;
      }
      if (count !== children.length) return false;
      for (let i = 0; i < children.length; i++) {
        const k = data[i] as string;
        if (!Object.hasOwn(x, k) || !flattenMatching(children[i]!, x[k], leaves)) return false;
      }
      return true;
    }
    default: {
      const start = leaves.length;
      const same = flattenInto(x, leaves).equals(def);
      if (!same) leaves.length = start;
      return same;
    }
  }
}

/** Whether values of a class are containers. */
export const isNodeType = (type: unknown): boolean =>
  type === Array || type === Object || type === Map || registered.has(type);

/** Leaves and structure, where what counts as a leaf depends on its path, too. */
export function flattenByPath(
  x: unknown,
  isLeaf: (path: KeyPath, x: unknown) => boolean,
): [leaves: unknown[], treedef: TreeDef] {
  const leaves: unknown[] = [];
  const walk = (y: unknown, path: KeyPath): TreeDef => {
    const children = isLeaf(path, y) ? null : childrenOf(y);
    if (!children) {
      leaves.push(y);
      return leafDef;
    }
    const { kind, data, names } = children.def;
    const parts = children.values.map((v, i) => walk(v, [...path, children.def.entry(i)]));
    return new TreeDef(kind, parts, data, names);
  };
  return [leaves, walk(x, [])];
}

/** Whether `x` is a container rather than a leaf. */
export const isContainer = (x: object): boolean =>
  Array.isArray(x) ||
  isPlainObject(x) ||
  x instanceof Map ||
  registered.has((x as { constructor?: unknown }).constructor);

/** The tree with this structure and these leaves. */
export function unflatten(def: TreeDef, leaves: readonly unknown[]): unknown {
  if (leaves.length !== def.numLeaves)
    throw new TreeError("LeafCount", {
      what: `a tree with ${def.numLeaves} leaves was given ${leaves.length}`,
      why: `the structure is ${String(def)}`,
      fix: "pass exactly the leaves that tree.flatten gave for this structure",
    });
  let next = 0;
  const build = (d: TreeDef): unknown => {
    switch (d.kind) {
      case "leaf":
        return leaves[next++];
      case "none":
        return d.data[0];
      case "list":
        return d.children.map(build);
      case "object": {
        const out: Record<string, unknown> = {};
        d.children.forEach((c, i) => {
          const key = d.data[i] as string;
          // An own "__proto__" key must not become the prototype.
          if (key === "__proto__")
            Object.defineProperty(out, key, { value: build(c), enumerable: true, writable: true, configurable: true });
          else out[key] = build(c);
        });
        return out;
      }
      case "map":
        return new Map(d.children.map((c, i) => [d.data[i], build(c)]));
      case "custom": {
        const [type, aux] = d.data;
        return (registered.get(type) as unknown as NodeType<unknown>).unflatten(aux, d.children.map(build));
      }
    }
  };
  return build(def);
}

/** Maps leaves; further trees must have the first one's structure as a prefix, their subtrees are passed whole. */
export function mapTree(f: (...leaves: never[]) => unknown, x: unknown, ...rest: readonly unknown[]): unknown {
  const [leaves, def] = flatten(x);
  const others = rest.map((r) => flattenUpTo(def, r, "tree.map"));
  return unflatten(
    def,
    leaves.map((l, i) => (f as (...a: unknown[]) => unknown)(l, ...others.map((o) => o[i]))),
  );
}

/** The subtrees of `x` at the leaves of `def`. */
export function flattenUpTo(def: TreeDef, x: unknown, name: string): unknown[] {
  const out: unknown[] = [];
  const walk = (d: TreeDef, y: unknown, path: KeyPath): void => {
    if (d.kind === "leaf") {
      out.push(y);
      return;
    }
    const children = childrenOf(y);
    const found = children && (d.kind === "none" ? children.def.kind === "none" : sameNode(d, children.def));
    if (!found) {
      throw new TreeError("TreeMismatch", {
        what: `${name}: trees differ at ${keyString(path) || "the top"}: expected ${describeNode(d)}, found ${describeValue(y)}`,
        why: "trees that go together must have the same containers with the same keys",
        fix: "build both trees from the same structure, or look at tree.structure(x) of each",
      });
    }
    d.children.forEach((c, i) => walk(c, children.values[i], [...path, d.entry(i)]));
  };
  walk(def, x, []);
  return out;
}

const sameNode = (a: TreeDef, b: TreeDef): boolean =>
  a.kind === b.kind && a.children.length === b.children.length && structurallyEqual(a.data, b.data);

/** The immediate children of a container, with a structure whose children are all leaves; null of a leaf. */
export function childrenOf(x: unknown): { def: TreeDef; values: unknown[] } | null {
  if (x === null || x === undefined) return { def: x === null ? nullDef : undefinedDef, values: [] };
  const values: unknown[] = [];
  const def = flattenInto(x, values, (y) => y !== x);
  return def.kind === "leaf" ? null : { def, values };
}

function describeNode(d: TreeDef): string {
  switch (d.kind) {
    case "leaf":
      return "a leaf";
    case "none":
      return "null";
    case "list":
      return `an array of ${d.children.length}`;
    case "object":
      return `an object with keys ${d.data.map(String).join(", ") || "(none)"}`;
    case "map":
      return `a Map with keys ${d.data.map(String).join(", ") || "(none)"}`;
    case "custom":
      return `a ${(d.data[0] as { name: string }).name}`;
  }
}

/** What a value is, for messages about trees. */
export function describeValue(x: unknown): string {
  if (x instanceof NDArray) return x.describe();
  if (x === null || x === undefined) return String(x);
  if (typeof x === "object") {
    const children = childrenOf(x);
    if (children) return describeNode(children.def);
    return `a ${(x as { constructor?: { name?: string } }).constructor?.name ?? "object"}`;
  }
  if (typeof x === "string") return `the string ${JSON.stringify(x.length > 40 ? `${x.slice(0, 40)}…` : x)}`;
  if (typeof x === "function") return `the function ${x.name || "(anonymous)"}`;
  return `the ${typeof x} ${String(x)}`;
}

const MAX_DIFFERENCES = 10;

/**
 * Where two structures differ, one line each, at most ten: `.w[1]: expected a leaf, found an array of 2`.
 */
export function treeDifferences(expected: TreeDef, found: TreeDef): string[] {
  const lines: string[] = [];
  const walk = (a: TreeDef, b: TreeDef, path: KeyPath): void => {
    if (a.equals(b)) return;
    const here = keyString(path) || "(top)";
    if (a.kind === "object" && b.kind === "object") {
      const keys = [...new Set([...a.data, ...b.data])] as string[];
      for (const k of keys.sort()) {
        const [i, j] = [a.data.indexOf(k), b.data.indexOf(k)];
        const sub: KeyPath = [...path, { kind: "key", key: k }];
        if (j < 0) lines.push(`${keyString(sub)}: missing`);
        else if (i < 0) lines.push(`${keyString(sub)}: unexpected`);
        else walk(a.children[i]!, b.children[j]!, sub);
      }
    } else if (sameNode(a, b)) a.children.forEach((c, i) => walk(c, b.children[i]!, [...path, a.entry(i)]));
    else lines.push(`${here}: expected ${describeNode(a)}, found ${describeNode(b)}`);
  };
  walk(expected, found, []);
  return lines.length > MAX_DIFFERENCES
    ? [...lines.slice(0, MAX_DIFFERENCES), `… and ${lines.length - MAX_DIFFERENCES} more`]
    : lines;
}
