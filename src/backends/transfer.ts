/** Moving values between programs and devices: `devicePut`, `deviceGet`, `blockUntilReady`. */
import type { ArrayLike, Nested } from "../core/arrayMethods.ts";
import { isArrayLeaf } from "../core/call.ts";
import { NDArray } from "../core/ndarray.ts";
import { asArray } from "../core/operands.ts";
import { mapTree } from "../core/tree.ts";
import type { Arrays } from "../core/types.ts";
import { type DeviceInfo, devices, putOn } from "./registry.ts";
import { DeviceArray } from "./array.ts";

/**
 * Puts the leaves of a tree on a device.
 *
 * @example
 * devicePut({ w: [1, 2] }).w // arrays on the default device
 */
export function devicePut<T>(x: T, device?: string | DeviceInfo): Arrays<T> {
  // Checks the name, even if there is no leaf.
  if (device !== undefined) devices(typeof device === "string" ? device.split(":")[0] : device.kind);
  const put = (leaf: unknown): unknown =>
    isArrayLeaf(leaf) ? putOn(device, () => asArray(leaf as ArrayLike, "devicePut")) : leaf;
  return mapTree(put, x) as Arrays<T>;
}

/** The values of a tree of arrays as nested JavaScript values, read once everything is computed. */
export async function deviceGet(x: unknown): Promise<unknown> {
  const waiting: Promise<void>[] = [];
  const values = new Map<NDArray, Nested>();
  mapTree((leaf: unknown) => {
    if (leaf instanceof NDArray) waiting.push(leaf.jsAsync().then((v) => void values.set(leaf, v)));
    return leaf;
  }, x);
  await Promise.all(waiting);
  return mapTree((leaf: unknown) => (leaf instanceof NDArray ? values.get(leaf) : leaf), x);
}

/** Waits until every array of a tree is computed, and gives the tree back. */
export async function blockUntilReady<T>(x: T): Promise<T> {
  const waiting: Promise<unknown>[] = [];
  mapTree((leaf: unknown) => {
    if (leaf instanceof DeviceArray) waiting.push(leaf.home.ready(leaf.buffer));
    return leaf;
  }, x);
  await Promise.all(waiting);
  return x;
}
