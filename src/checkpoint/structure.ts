/**
 * The structure of a tree as JSON, and the names of its leaves: what a checkpoint needs beside the arrays.
 *
 * A leaf is "*", null is null; other nodes are objects with one field that says what they are. Classes are written by
 * name only, since what makes one is code: reading them takes an example tree.
 */
import { DataError, TreeError } from "../core/problem.ts";
import { type KeyPath, TreeDef, keyString, leafDef } from "../core/tree.ts";

export type Node =
  | "*"
  | null
  | { readonly undefined: true }
  | { readonly list: readonly Node[] }
  | { readonly object: readonly (readonly [string, Node])[] }
  | { readonly map: readonly (readonly [string | number | boolean, Node])[] }
  | { readonly class: string; readonly children: readonly Node[] };

/** No tree that people make is as deep; one that is came from someone who wants the stack to run over. */
const deepest = 500;

/** The name of a leaf in a file: its path, as it would be written in code behind the tree. */
export function leafName(path: KeyPath): string {
  const text = keyString(path);
  if (text === "") return ".";
  // The name that safetensors keep for themselves.
  return text.startsWith(".") && text !== ".__metadata__" ? text.slice(1) : text;
}

/** The names of all leaves, in order. @throws TreeError if two have the same one. */
export function leafNames(def: TreeDef, name: string): string[] {
  const names = def.paths().map(leafName);
  if (new Set(names).size === names.length) return names;
  const twice = names.find((n, i) => names.indexOf(n) !== i)!;
  throw new TreeError("RepeatedName", {
    what: `${name}: two leaves of the tree have the path ${twice}`,
    why: "arrays in a file are told apart by the paths of their leaves",
    fix: "give the children of registered classes different names, and use strings, numbers or booleans as keys of Maps",
  });
}

// ---------------------------------------------------------------- writing

/** A structure as JSON. */
export function encodeStructure(def: TreeDef): Node {
  const children = def.children.map(encodeStructure);
  switch (def.kind) {
    case "leaf":
      return "*";
    case "none":
      return def.data[0] === undefined ? { undefined: true } : null;
    case "list":
      return { list: children };
    case "object":
      return { object: children.map((c, i) => [def.data[i] as string, c] as const) };
    case "map":
      return { map: children.map((c, i) => [mapKey(def.data[i]), c] as const) };
    case "custom":
      return { class: (def.data[0] as { name: string }).name, children };
  }
}

function mapKey(key: unknown): string | number | boolean {
  if (typeof key === "string" || typeof key === "boolean" || Number.isFinite(key))
    return key as string | number | boolean;
  throw new TreeError("MapKey", {
    what: `a Map in the tree has the key ${typeof key === "symbol" ? "(a symbol)" : String(key)}`,
    why: "keys are written into the file, as text",
    fix: "use strings, finite numbers or booleans as keys",
  });
}

// ---------------------------------------------------------------- reading

const damaged = (what: string): DataError =>
  new DataError("DamagedStructure", {
    what: `the structure in the checkpoint is damaged: ${what}`,
    why: "it says how the arrays of the file make a tree",
    fix: "read the arrays by name, data.readSafetensors(bytes), or pass an example of the tree",
  });

const needsLike = (name: string): DataError =>
  new DataError("NeedsExample", {
    what: `the tree in the checkpoint holds a ${name}`,
    why: "objects of classes are made by code, which is not in the file",
    fix: "pass an example of the tree with the same structure: load(path, like)",
  });

const isPair = (x: unknown): x is readonly [unknown, unknown] => Array.isArray(x) && x.length === 2;
const isKey = (x: unknown): x is string | number | boolean => ["string", "number", "boolean"].includes(typeof x);

/** The structure that JSON stands for. @throws DataError if it stands for none, or for objects of classes. */
export function decodeStructure(node: unknown, depth = 0): TreeDef {
  if (depth > deepest) throw damaged(`it is more than ${deepest} levels deep`);
  if (node === "*") return leafDef;
  if (node === null) return new TreeDef("none", [], [null]);
  const fields = typeof node === "object" && !Array.isArray(node) ? Object.entries(node) : [];
  const [kind, value] = (fields[0] ?? []) as [string?, unknown?];
  if (kind === "class") throw needsLike(String(value).slice(0, 80));
  if (fields.length !== 1 || kind === undefined) throw damaged("a node is of no known kind");
  if (kind === "undefined") return new TreeDef("none", [], [undefined]);
  if (!Array.isArray(value)) throw damaged("a node has no children");
  const items = value as readonly unknown[];
  if (kind === "list")
    return new TreeDef(
      "list",
      items.map((c) => decodeStructure(c, depth + 1)),
      [],
    );
  if (kind !== "object" && kind !== "map") throw damaged("a node is of no known kind");
  const pairs = items.map((p) => {
    if (!isPair(p) || !isKey(p[0]) || (kind === "object" && typeof p[0] !== "string"))
      throw damaged("a child has no key");
    return p;
  });
  const keys = pairs.map(([key]) => key);
  if (new Set(keys).size !== keys.length) throw damaged("two children have the same key");
  return new TreeDef(
    kind,
    pairs.map(([, c]) => decodeStructure(c, depth + 1)),
    keys,
  );
}
