/**
 * The device interface: what a backend provides. A buffer's form is the device's own business; arrays hold one and hand
 * it back. Names: `cpu` (the reference), later `wasm` and `webgpu`.
 */
import type { Aval } from "../core/aval.ts";
import type { DType } from "../core/dtype.ts";
import type { CompileOptions } from "../core/evaluator.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { Jaxpr } from "../core/jaxpr.ts";
import type { AnyPrimitive, Params } from "../core/primitive.ts";

export type Buffer = unknown;

/** A compiled program on one device. */
export interface DeviceExecutable {
  run(inputs: readonly Buffer[]): readonly Buffer[];
  readonly outAvals: readonly Aval[];
}

export interface Device {
  /** `cpu`, `wasm`, `webgpu`. */
  readonly kind: string;
  readonly id: number;
  readonly dtypes: ReadonlySet<DType>;
  /** Whether `readSync` works. */
  readonly readsSynchronously: boolean;
  put(x: HostArray): Buffer;
  readSync(buffer: Buffer): HostArray;
  read(buffer: Buffer): Promise<HostArray>;
  release(buffer: Buffer): void;
  /** Applies one primitive; `avals` are the operands', `outs` those that `infer` gave. */
  evaluate(
    primitive: AnyPrimitive,
    inputs: readonly Buffer[],
    params: Params,
    outs: readonly Aval[],
    avals: readonly Aval[],
  ): readonly Buffer[];
  compile(jaxpr: Jaxpr, options: CompileOptions): DeviceExecutable;
}
