/**
 * Sizes of tiles for online products on workgroups (`gpuOnline.ts`): what fits in registers and in shared memory, and
 * whether the keys are divided among blocks (`gpuOnlineParts.ts`).
 */
import type { Target } from "../target.ts";
import { extentOf } from "./contraction.ts";
import { enoughBlocks, fitting, sideOf, usualDepth } from "./gpuContraction.ts";
import { sliceLength } from "./gpuTiles.ts";
import type { OnlineProduct } from "./onlineProduct.ts";

/** Sizes of a block's tiles. */
export interface OnlineTiling {
  readonly side: number;
  readonly rows: number;
  readonly keys: number;
  /** All columns, in whole sides. */
  readonly columns: number;
  /** Summands in shared memory at once, of the scores and of the result. */
  readonly depth: number;
  readonly keyDepth: number;
  /** Whether the rows' factor of the scores stays in shared memory. */
  readonly keepsLeft: boolean;
  /** Parts that the keys are in, and tiles of a part. */
  readonly parts: number;
  readonly tiles: number;
}

/** Sums of the result that a thread keeps in registers. */
const mostSums = 32;
/** Sides of the square that the keys of a tile take. */
const keySides = 2;
/** Tiles of a part: below that, putting together the parts is what takes long. */
const fewestTiles = 16;

/** How to tile an online product, or null if it does not fit. */
export function onlineTilingOf(p: OnlineProduct, target: Target): OnlineTiling | null {
  const [rows, keys, length] = [extentOf(p.rows), extentOf(p.keys), extentOf(p.depth)];
  const side = sideOf(target);
  if (side === null) return null;
  const columns = Math.ceil(extentOf(p.columns) / side) * side;
  const tile = {
    rows: fitting(rows, side),
    keys: Math.min(keySides * side, fitting(keys, side)),
    depth: usualDepth,
  };
  const blocks = (): number => extentOf(p.around) * Math.ceil(rows / tile.rows);
  const isLarge = (): boolean => blocks() < enoughBlocks || (tile.rows * columns) / side ** 2 > mostSums;
  while (tile.rows > side && isLarge()) tile.rows /= 2;
  if ((tile.rows * columns) / side ** 2 > mostSums) return null;
  const tiling = (keepsLeft: boolean): Omit<OnlineTiling, "parts" | "tiles"> => ({
    ...tile,
    side,
    columns,
    depth: Math.min(tile.depth, 2 ** Math.ceil(Math.log2(length))),
    keyDepth: Math.min(tile.depth, tile.keys),
    keepsLeft,
  });
  const fits = (keepsLeft: boolean): boolean => {
    const lengths = Object.values(sharedLengths(tiling(keepsLeft), length));
    return lengths.reduce((a, b) => a + b) * 4 <= target.maxSharedBytes;
  };
  while (!fits(false)) {
    if (tile.keys > side) tile.keys /= 2;
    else if (tile.rows > side) tile.rows /= 2;
    else if (tile.depth > 4) tile.depth /= 2;
    else return null;
  }
  const all = Math.ceil(keys / tile.keys);
  const tiles = Math.ceil(
    all / Math.max(1, Math.min(Math.ceil(enoughBlocks / blocks()), Math.floor(all / fewestTiles))),
  );
  return { ...tiling(fits(true)), parts: Math.ceil(all / tiles), tiles };
}

/** Scalars of shared memory, by buffer. */
export function sharedLengths(
  { side, rows, keys, columns, depth, keyDepth, keepsLeft }: Omit<OnlineTiling, "parts" | "tiles">,
  length: number,
): { readonly left: number; readonly slice: number; readonly weights: number; readonly partial: number } {
  return {
    left: sliceLength(rows, keepsLeft ? Math.ceil(length / depth) * depth : depth),
    slice: Math.max(sliceLength(keys, depth), sliceLength(columns, keyDepth)),
    weights: sliceLength(rows, keys),
    partial: sliceLength(side, rows),
  };
}
