/** Checkpoints and NPZ files by path, in Node and Deno. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { CotangentError, unreachable } from "../core/problem.ts";
import { flatten } from "../core/tree.ts";
import {
  type FileArray,
  type NpzReadOptions,
  type NpzWriteOptions,
  arrayOf,
  formatNpz,
  parseNpz,
} from "../data/index.ts";
import type { NDArray } from "../core/ndarray.ts";
import { type SaveOptions, fromBytes, toBytes } from "./bytes.ts";
import { type Path, readFile, writeFile } from "./disk.ts";
import { type LikeOptions, fillLike, tensorOf } from "./leaves.ts";
import { leafNames } from "./structure.ts";

/**
 * Saves a tree as a checkpoint: a safetensors file. The file is there whole or, if the program ends meanwhile, as it was
 * before; all that can be left then is one whose name ends with `.tmp`.
 *
 * @param path where; the folder must exist.
 * @param tree arrays, PRNG keys, typed arrays, numbers, booleans, strings and null in objects, arrays, Maps and
 * registered classes.
 * @throws (as a rejection) TreeError for a leaf of another kind, DataError if the file cannot be written, DeviceError
 * where there are no files.
 * @example
 * const save = () => checkpoints.save("model.safetensors", { w: np.zeros([2]) }); // a promise
 */
export async function save(path: Path, tree: unknown, options: SaveOptions = {}): Promise<void> {
  await writeFile(path, await toBytes(tree, options));
}

/**
 * Loads the tree of a checkpoint, or, with an example, of any safetensors file whose tensors are named after its leaves.
 *
 * @param like a tree of the same structure, whose leaves are arrays, or `ShapeDtypeStruct`s of them. It may be left out
 * unless the tree holds objects of registered classes.
 * @throws (as a rejection) TreeError, which names the leaves that differ from the example's; DataError if the file
 * cannot be read or is no checkpoint, DeviceError where there are no files.
 * @example
 * const load = (like) => checkpoints.load("model.safetensors", like); // a promise of a tree like it
 */
export function load<T>(path: Path, like: T, options?: LikeOptions): Promise<T>;
export function load(path: Path): Promise<unknown>;
export async function load(path: Path, like?: unknown, options?: LikeOptions): Promise<unknown> {
  return fromBytes(await readFile(path), like, options);
}

const ours = (error: unknown): CotangentError =>
  error instanceof CotangentError ? error : unreachable(`a file was refused with ${String(error)}`);

/** `save` as a TaskEither: an error is a value. */
export const saveTask = (path: Path, tree: unknown, options?: SaveOptions): TE.TaskEither<CotangentError, void> =>
  TE.tryCatch(() => save(path, tree, options), ours);

/** `load` as a TaskEither: an error is a value. */
export const loadTask = <T>(path: Path, like?: T, options?: LikeOptions): TE.TaskEither<CotangentError, T> =>
  TE.tryCatch(() => load(path, like as T, options), ours);

// ---------------------------------------------------------------- NPZ

/**
 * Saves the arrays of a tree as an NPZ file, which NumPy reads: numpy.load(path). The names are the paths of the leaves.
 * Keys are saved as their words, numbers as float64, booleans as bool.
 *
 * @throws (as a rejection) TreeError for a leaf that is no array, key, number or boolean, DataError if the file cannot be
 * written, DeviceError where there are no files.
 * @example
 * const save = () => checkpoints.savez("arrays.npz", { w: np.zeros([2]) }); // a promise
 */
export async function savez(path: Path, tree: unknown, options: NpzWriteOptions = {}): Promise<void> {
  const [leaves, def] = flatten(tree);
  const names = leafNames(def, "savez");
  const arrays = await Promise.all(
    leaves.map(async (leaf, i): Promise<[string, FileArray]> => [
      names[i]!,
      typeof leaf === "number"
        ? { dtype: "float64", shape: [], data: Float64Array.of(leaf) }
        : typeof leaf === "boolean"
          ? { dtype: "bool", shape: [], data: Uint8Array.of(Number(leaf)) }
          : await tensorOf("savez", names[i]!, leaf),
    ]),
  );
  await writeFile(path, formatNpz(Object.fromEntries(arrays), options));
}

/**
 * Loads the arrays of an NPZ file by name, or, with an example, as a tree like it.
 *
 * @throws (as a rejection) TreeError, which names the leaves that differ from the example's; DataError if the file
 * cannot be read or is no NPZ file of numbers, DeviceError where there are no files.
 * @example
 * const load = () => checkpoints.loadz("arrays.npz"); // a promise of arrays by name
 */
export function loadz<T>(path: Path, like: T, options?: NpzReadOptions & LikeOptions): Promise<T>;
export function loadz(path: Path): Promise<Record<string, NDArray>>;
export async function loadz(path: Path, like?: unknown, options: NpzReadOptions & LikeOptions = {}): Promise<unknown> {
  const parsed = parseNpz(await readFile(path), options);
  if (parsed._tag === "Left") throw parsed.left;
  const tensors = parsed.right;
  if (like === undefined) return Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, arrayOf(x)]));
  const [examples, def] = flatten(like);
  return fillLike("loadz", def, leafNames(def, "loadz"), examples, { tensors, infos: {} }, options);
}
