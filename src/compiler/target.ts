/** What the compiler must know of a device: how it stores elements, how it runs loops, and what it can bind at once. */
import type { DType } from "../core/dtype.ts";
import type { Layout } from "../core/elementTypes.ts";

export interface Target {
  readonly name: string;
  readonly dtypes: ReadonlySet<DType>;
  readonly layout: Layout;
  /** `vector`: one thread with 4 lanes and caches. `workgroups`: a grid of blocks of threads with shared memory. */
  readonly style: "vector" | "workgroups";
  /** Buffers a kernel may bind. */
  readonly maxBuffers: number;
  /** Bytes that one binding may cover. */
  readonly maxBindingBytes: number;
  /** Blocks along one dimension of a grid. */
  readonly maxBlocks: number;
  /** Threads of a block. */
  readonly maxThreads: number;
  /** Bytes of shared scratch of a block. */
  readonly maxSharedBytes: number;
  /** Alignment in bytes of arena offsets, and of slices that a launch may be given. */
  readonly alignment: number;
  /** Whether the host reads and writes the device's memory directly, so that routines may run there. */
  readonly sharesMemory: boolean;
  /** Whether a vector product and its sum are one instruction. */
  readonly fusedMultiplyAdd: boolean;
  /** Nanoseconds of work, roughly, from which a kernel is cut into units for several threads. */
  readonly worthThreads: number;
  /** Math functions of f64 can be imported; f32 ones are expanded on every target. */
  readonly importsMath: boolean;
}
