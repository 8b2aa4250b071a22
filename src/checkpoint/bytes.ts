/**
 * Checkpoints: a tree as one safetensors file. The names of the tensors are the paths of its leaves; the metadata hold
 * the structure and what tensors cannot say, so that the tree comes back as it was.
 */
import { type Either, left, right } from "fp-ts/lib/Either.js";
import { CotangentError, DataError } from "../core/problem.ts";
import { flatten, unflatten } from "../core/tree.ts";
import { type Bytes, type Safetensors, formatSafetensors, parseSafetensors } from "../data/index.ts";
import { type LeafInfo, type LikeOptions, type Leaves, fillLike, isLeafInfo, leafOf, readLeaves } from "./leaves.ts";
import { decodeStructure, encodeStructure, leafNames } from "./structure.ts";

/** The name of our entry among a file's metadata. */
const entry = "cotangent";

export interface SaveOptions {
  /** Texts to keep beside the tree, such as a description or the settings of a run. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The bytes of a checkpoint: a safetensors file with one tensor for each array of a tree.
 *
 * @param tree arrays, PRNG keys, typed arrays, numbers, booleans, strings and null in objects, arrays, Maps and
 * registered classes.
 * @throws (as a rejection) TreeError for a leaf of another kind.
 * @example
 * const bytes = await checkpoints.toBytes({ step: 3, w: np.array([1, 2]) });
 * checkpoints.fromBytes(bytes) // { step: 3, w: [1, 2] }
 */
export async function toBytes(tree: unknown, options: SaveOptions = {}): Promise<Uint8Array> {
  const [leaves, def] = flatten(tree);
  const { tensors, infos } = await readLeaves("toBytes", leafNames(def, "toBytes"), leaves);
  const own = JSON.stringify({ version: 1, structure: encodeStructure(def), leaves: infos });
  return formatSafetensors(tensors, { metadata: { ...options.metadata, [entry]: own } });
}

/**
 * The tree in a checkpoint. With an example, it may be any safetensors file whose tensors have the paths of the example's
 * leaves as names; without one it comes back as it was saved, as long as it held no objects of registered classes.
 *
 * @param bytes the whole file.
 * @param like a tree of the same structure, whose leaves are arrays, or `ShapeDtypeStruct`s of them.
 * @throws DataError if the bytes are no checkpoint; TreeError, which names the leaves, if they do not fit the example.
 * @example
 * const bytes = await checkpoints.toBytes({ w: np.array([1, 2]) });
 * checkpoints.fromBytes(bytes, { w: np.zeros([2]) }) // { w: [1, 2] }
 * checkpoints.fromBytes(bytes, { w: np.zeros([3]) }) // throws TreeError
 */
export function fromBytes<T>(bytes: Bytes, like: T, options?: LikeOptions): T;
export function fromBytes(bytes: Bytes): unknown;
export function fromBytes(bytes: Bytes, like?: unknown, options: LikeOptions = {}): unknown {
  const parsed = parseSafetensors(bytes);
  if (parsed._tag === "Left") throw parsed.left;
  return treeOf(parsed.right, like, options);
}

/**
 * The same as a value: the tree, or what is wrong.
 *
 * @example
 * checkpoints.parseBytes(new Uint8Array(3)).left.code // a DataError's code, Truncated
 */
export function parseBytes<T>(bytes: Bytes, like: T, options?: LikeOptions): Either<CotangentError, T>;
export function parseBytes(bytes: Bytes): Either<CotangentError, unknown>;
export function parseBytes(bytes: Bytes, like?: unknown, options?: LikeOptions): Either<CotangentError, unknown> {
  try {
    return right(fromBytes(bytes, like, options));
  } catch (error) {
    if (error instanceof CotangentError) return left(error);
    throw error;
  }
}

function treeOf(file: Safetensors, like: unknown, options: LikeOptions): unknown {
  const own = readOwn(file.metadata);
  const leaves: Leaves = { tensors: file.tensors, infos: own?.leaves ?? {} };
  if (like !== undefined) {
    const [examples, def] = flatten(like);
    return fillLike("fromBytes", def, leafNames(def, "fromBytes"), examples, leaves, options);
  }
  if (own === null) throw notACheckpoint("there is no structure among its metadata");
  const def = decodeStructure(own.structure);
  const names = def.paths().length === 0 ? [] : leafNames(def, "fromBytes");
  const values = names.map((name) => {
    const leaf = leafOf(leaves, name);
    if (leaf === undefined) throw notACheckpoint(`the leaf ${name.slice(0, 80)} is missing`);
    return leaf;
  });
  return unflatten(def, values);
}

interface Own {
  readonly structure: unknown;
  readonly leaves: Readonly<Record<string, LeafInfo>>;
}

/** What we wrote among a file's metadata; null in files of others. */
function readOwn(metadata: Readonly<Record<string, string>>): Own | null {
  if (!Object.hasOwn(metadata, entry)) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(metadata[entry]!);
  } catch {
    throw notACheckpoint("the description of its tree is no JSON");
  }
  const { version, structure, leaves } = (parsed ?? {}) as Partial<Record<string, unknown>>;
  if (version !== 1) throw notACheckpoint(`its version is ${String(version).slice(0, 20)}`);
  if (typeof leaves !== "object" || leaves === null || !Object.values(leaves).every(isLeafInfo))
    throw notACheckpoint("the description of its leaves is damaged");
  return { structure, leaves: leaves as Record<string, LeafInfo> };
}

const notACheckpoint = (what: string): DataError =>
  new DataError("NotACheckpoint", {
    what: `fromBytes: the file is no checkpoint that can be read: ${what}`,
    why: "checkpoints are safetensors files with the structure of a tree among their metadata",
    fix: "pass an example of the tree, fromBytes(bytes, like), or read the arrays by name: data.readSafetensors(bytes)",
  });
