/** Leaves of trees in files: arrays and keys as tensors, plain values as text. */
import type { ArrayLike } from "../core/arrayMethods.ts";
import { isKey } from "../core/dtype.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { TreeError } from "../core/problem.ts";
import { ShapeDtypeStruct } from "../core/shapeDtypeStruct.ts";
import { convert } from "../core/structural.ts";
import { type TreeDef, describeValue, unflatten } from "../core/tree.ts";
import { type FileArray, arrayOf, fileArray } from "../data/index.ts";
import * as random from "../random/index.ts";

/** What a tensor does not say of a leaf by itself. */
export interface LeafInfo {
  /** The tensor is the words of PRNG keys. */
  readonly key?: true;
  /** The array is weak, as results of numbers are. */
  readonly weak?: true;
  /** The leaf is no array but this value. Numbers are text: JSON has no NaN, infinities or negative zero. */
  readonly value?: readonly ["number" | "bigint" | "string", string] | readonly ["boolean", boolean];
}

/** The leaves of a tree, by name. */
export interface Leaves {
  readonly tensors: Readonly<Record<string, FileArray>>;
  readonly infos: Readonly<Record<string, LeafInfo>>;
}

// ---------------------------------------------------------------- writing

const isScalar = (x: unknown): x is number | bigint | string | boolean =>
  ["number", "bigint", "string", "boolean"].includes(typeof x);

/** The elements of an array, or the words of keys, waiting for the device if need be. */
export async function tensorOf(name: string, at: string, leaf: unknown): Promise<FileArray> {
  if (!(leaf instanceof NDArray) && !ArrayBuffer.isView(leaf)) throw notALeaf(name, at, leaf);
  return fileArray(leaf instanceof NDArray && isKey(leaf.dtype) ? random.keyData(leaf) : (leaf as ArrayLike));
}

/** Reads all leaves of a tree. */
export async function readLeaves(name: string, names: readonly string[], leaves: readonly unknown[]): Promise<Leaves> {
  const infos = leaves.map((leaf): LeafInfo => {
    if (isScalar(leaf)) return { value: scalarText(leaf) };
    if (!(leaf instanceof NDArray)) return {};
    return { ...(isKey(leaf.dtype) && { key: true }), ...(leaf.weakType && { weak: true }) };
  });
  const tensors = await Promise.all(
    leaves.flatMap((leaf, i) =>
      isScalar(leaf) ? [] : [tensorOf(name, names[i]!, leaf).then((x) => [names[i]!, x] as const)],
    ),
  );
  return {
    tensors: Object.fromEntries(tensors),
    infos: Object.fromEntries(infos.flatMap((info, i) => (Object.keys(info).length === 0 ? [] : [[names[i]!, info]]))),
  };
}

const scalarText = (x: number | bigint | string | boolean): NonNullable<LeafInfo["value"]> =>
  typeof x === "boolean" ? ["boolean", x] : [typeof x as "number", Object.is(x, -0) ? "-0" : String(x)];

const notALeaf = (name: string, at: string, leaf: unknown): TreeError =>
  new TreeError("NotALeaf", {
    what: `${name}: the leaf ${at} is ${describeValue(leaf)}`,
    why: "leaves are arrays, PRNG keys, typed arrays, numbers, bigints, booleans and strings",
    fix: "leave it out of the tree, or register its class with tree.registerPytreeNode",
  });

// ---------------------------------------------------------------- reading

/** The leaf of a name, as it was written; undefined if there is none. */
export function leafOf({ tensors, infos }: Leaves, name: string): unknown {
  const info = Object.hasOwn(infos, name) ? infos[name]! : {};
  if (info.value) return scalarOf(info.value);
  const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  if (tensor === undefined) return undefined;
  const array = arrayOf(tensor);
  if (info.key) return random.wrapKeyData(array);
  return info.weak ? convert(array, array.dtype, true) : array;
}

function scalarOf([type, text]: NonNullable<LeafInfo["value"]>): unknown {
  return type === "number" ? Number(text) : type === "bigint" ? BigInt(text) : text;
}

/** Whether what a file says of a leaf is of the form in which it is written. */
export function isLeafInfo(x: unknown): x is LeafInfo {
  if (typeof x !== "object" || x === null) return false;
  const { key, weak, value, ...others } = x as Record<string, unknown>;
  if (Object.keys(others).length > 0 || ![key, weak].every((f) => f === undefined || f === true)) return false;
  if (value === undefined) return true;
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [type, content] = value as [unknown, unknown];
  if (type === "boolean") return typeof content === "boolean";
  if (typeof content !== "string") return false;
  return (
    type === "string" ||
    (type === "bigint"
      ? /^-?\d+$/.test(content)
      : type === "number" && (content === "NaN" || !Number.isNaN(Number(content))))
  );
}

// ---------------------------------------------------------------- matching an example

export interface LikeOptions {
  /** Whether leaves of the file that the example does not have are left out. Default false: they are an error. */
  readonly ignoreUnexpected?: boolean;
}

const mostDifferences = 10;

/**
 * The tree of an example's structure with the leaves of a file.
 *
 * @throws TreeError that names the leaves that are missing, unexpected, or of another shape or dtype.
 */
export function fillLike(
  name: string,
  def: TreeDef,
  names: readonly string[],
  like: readonly unknown[],
  file: Leaves,
  options: LikeOptions,
): unknown {
  const differences: string[] = [];
  const leaves = like.map((example, i) => {
    const at = names[i]!;
    const found = adapted(leafOf(file, at), example);
    const [wanted, there] = [leafText(example), found === undefined ? "nothing" : leafText(found)];
    if (wanted !== there) differences.push(`${at}: expected ${wanted}, found ${there}`);
    return found;
  });
  if (!options.ignoreUnexpected) {
    const expected = new Set(names);
    for (const at of new Set([...Object.keys(file.tensors), ...Object.keys(file.infos)]))
      if (!expected.has(at)) differences.push(`${at}: unexpected`);
  }
  if (differences.length === 0) return unflatten(def, leaves);
  const shown = differences.slice(0, mostDifferences);
  if (differences.length > shown.length) shown.push(`… and ${differences.length - shown.length} more`);
  throw new TreeError("CheckpointMismatch", {
    what: `${name}: the file does not fit the example tree:\n    ${shown.join("\n    ")}`,
    why: "each leaf of the example is looked for by its path, and must have its shape and dtype",
    fix: "make the example as the tree was made that was saved; { ignoreUnexpected: true } leaves out what it does not have",
  });
}

/** Files of others have arrays for keys and numbers: what the example says they are. */
function adapted(found: unknown, example: unknown): unknown {
  if (!(found instanceof NDArray)) return found;
  const words = found.dtype === "uint32" && found.shape.at(-1) === 2;
  if (example instanceof NDArray && isKey(example.dtype) && words) return random.wrapKeyData(found);
  const isPlain = typeof example === "number" || typeof example === "boolean";
  return isPlain &&
    found.ndim === 0 &&
    !isKey(found.dtype) &&
    found.dtype !== "complex64" &&
    (found.dtype === "bool") === (typeof example === "boolean")
    ? found.item()
    : found;
}

/** What has to agree of a leaf and its example. */
function leafText(x: unknown): string {
  if (x instanceof NDArray || x instanceof ShapeDtypeStruct) return `${x.dtype}[${x.shape.join(", ")}]`;
  // A typed array is saved as what it becomes.
  if (ArrayBuffer.isView(x)) return leafText(asArray(x as ArrayLike));
  return isScalar(x) ? `a ${typeof x}` : describeValue(x);
}
