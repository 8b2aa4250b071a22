/** What the compiler must know of a device: how it stores elements, how it runs loops, and what it can bind at once. */
import type { DType } from "../core/dtype.ts";
import type { Layout } from "../core/elementTypes.ts";
import type { Eqn, Var } from "../core/jaxpr.ts";
import type { Expr } from "../core/scalar.ts";
import type { Chain } from "./chains.ts";
import type { FusedKernel } from "./fusedKernel.ts";
import type { Lowered } from "./lower.ts";
import type { LoopNest } from "./loopNest/loopNest.ts";

/** How fused kernels, and chains of them, become loops. */
export interface Schedules {
  readonly kernel: (kernel: FusedKernel, target: Target) => LoopNest;
  /** Null if the groups of the chain must be kernels of their own. */
  readonly chain: (
    chain: Chain,
    producers: ReadonlyMap<Var, Eqn>,
    target: Target,
    finish: (e: Expr) => Expr,
  ) => readonly Lowered<LoopNest>[] | null;
}

/** From which size on work is cut into tasks, and into how large ones at least. Tests have a target that cuts everything. */
export interface Cutting {
  /** Nanoseconds of work, roughly, that are worth several threads; and multiplications of a product. */
  readonly nanoseconds: number;
  readonly multiplications: number;
  /** Summands of a row that is reduced in parts. */
  readonly summands: number;
  /** Elements of a vector loop, which tasks have a multiple of: a few cache lines, so that no two threads write to one. */
  readonly elements: number;
  /** Rows of a product: each task packs its columns by itself, which must be little beside what the rows multiply with them. */
  readonly rows: number;
}

export interface Target {
  readonly name: string;
  readonly dtypes: ReadonlySet<DType>;
  readonly layout: Layout;
  /** `vector`: one thread with 4 lanes and caches. `workgroups`: a grid of blocks of threads with shared memory. */
  readonly style: "vector" | "workgroups";
  /** Those of the style: an object, so that a program carries the schedules of its targets alone. */
  readonly schedules: Schedules;
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
  /** Whether two vectors side by side become one of twice the length. */
  readonly wideVectors: boolean;
  /** What is cut into tasks for several threads; null: the target has no threads. */
  readonly cutting: Cutting | null;
  /** Whether NaN goes through arithmetic as IEEE 754 has it. WGSL lets machines assume that there is none. */
  readonly keepsNaN: boolean;
  /** Math functions of f64 can be imported; f32 ones are expanded on every target. */
  readonly importsMath: boolean;
}
