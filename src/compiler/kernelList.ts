/** The kernels of a program and of those inside it. Each is there once, however many launches it has. */
import type { Buffer } from "../core/scalar.ts";
import { overwriting } from "./inPlace.ts";
import { KnownGroups } from "./knownGroups.ts";
import type { LoopNest } from "./loopNest/loopNest.ts";

export class KernelList {
  readonly nests: LoopNest[] = [];
  readonly groups = new KnownGroups();
  readonly #numbers = new Map<LoopNest, number>();
  /** Nests that write over an operand, by the nest, the operand and the result. */
  readonly #overwriting = new Map<LoopNest, Map<Buffer, Map<Buffer, LoopNest>>>();

  /** The number of a kernel. */
  add(nest: LoopNest): number {
    let n = this.#numbers.get(nest);
    if (n === undefined) this.#numbers.set(nest, (n = this.nests.push(nest) - 1));
    return n;
  }

  overwriting(nest: LoopNest, operand: Buffer, result: Buffer): LoopNest {
    const ofNest = entry(this.#overwriting, nest, () => new Map<Buffer, Map<Buffer, LoopNest>>());
    const ofOperand = entry(ofNest, operand, () => new Map<Buffer, LoopNest>());
    return entry(ofOperand, result, () => overwriting(nest, operand, result));
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
