/**
 * Launches: a kernel on the places its parameters have. Which bindings it gets is decided by the places, each time:
 *
 * - parameters that are the very same bytes share one binding;
 * - a binding is `readwrite` if the launch writes anywhere in its piece of storage, else `read`.
 *
 * WebGPU forbids a buffer that is bound read-only and read-write in one dispatch, and overlapping bindings of which one is
 * written; by the rule the first cannot happen, nor the second as long as parameters are the same bytes or disjoint ones,
 * which programs guarantee. The text of a kernel depends on the plan, so a kernel may have several pipelines: for example
 * one for an operand in an input (read), one for an operand in the arena that the result is in too (readwrite).
 */
import type { LoopNest } from "../../compiler/loopNest/loopNest.ts";
import type { Launch, Slot } from "../../compiler/program.ts";
import type { Source } from "../../core/source.ts";
import { type Pipeline, type Pipelines } from "./pipelines.ts";
import type { CommandQueue } from "./queue.ts";
import type { Storage } from "./storage.ts";
import { type Access, type BindingPlan, type WgslLimits, emitWgsl } from "./wgsl.ts";
import type { Workgroups } from "./grid.ts";

interface Variant {
  readonly pipeline: Pipeline;
  readonly workgroups: Workgroups;
  readonly plan: BindingPlan;
  readonly needsZero: boolean;
}

/** A nest with the pipelines made of it. */
export class Kernel {
  readonly nest: LoopNest;
  readonly #limits: WgslLimits;
  readonly #pipelines: Pipelines;
  readonly #variants = new Map<string, Variant>();

  constructor(nest: LoopNest, limits: WgslLimits, pipelines: Pipelines) {
    this.nest = nest;
    this.#limits = limits;
    this.#pipelines = pipelines;
  }

  variant(plan: BindingPlan): Variant {
    const key = `${plan.of.join()} ${plan.access.join()}`;
    let variant = this.#variants.get(key);
    if (!variant) {
      const kernel = emitWgsl(this.nest, this.#limits, plan);
      const { workgroups, needsZero } = kernel;
      variant = { pipeline: this.#pipelines.get(kernel), workgroups, plan, needsZero };
      this.#variants.set(key, variant);
    }
    return variant;
  }
}

/** What a launch needs of the device. */
export interface LaunchContext {
  readonly device: GPUDevice;
  readonly queue: CommandQueue;
  readonly zero: GPUBuffer;
  /** Stands for arrays of no elements, which cannot be bound. */
  readonly nothing: Storage;
}

interface CachedGroup {
  readonly variant: Variant;
  readonly storages: readonly number[];
  readonly offsets: readonly number[];
  readonly group: GPUBindGroup;
}
const CACHED_GROUPS = 8;

export class LoadedLaunch {
  readonly kind = "launch";
  readonly kernel: Kernel;
  readonly slots: readonly number[];
  readonly sources: readonly Source[];
  readonly #bytes: readonly number[];
  readonly #writes: readonly boolean[];
  readonly #storages: Storage[];
  readonly #offsets: number[];
  /** The plan of the current places: the binding of each parameter, and whether it is written. */
  readonly #of: number[] = [];
  readonly #access: Access[] = [];
  #variant: Variant | null = null;
  readonly #groups: CachedGroup[] = [];
  #nextGroup = 0;

  constructor(kernel: Kernel, { slots, sources }: Launch, all: readonly Slot[]) {
    this.kernel = kernel;
    this.slots = slots;
    this.sources = sources;
    this.#bytes = slots.map((s) => all[s]!.bytes);
    this.#writes = kernel.nest.params.map((p) => p.access !== "read");
    this.#storages = new Array<Storage>(slots.length);
    this.#offsets = new Array<number>(slots.length);
  }

  /** The pipeline for these places; `encode` uses it. */
  prepare(storages: readonly Storage[], offsets: readonly number[], context: LaunchContext): Pipeline {
    const n = this.slots.length;
    for (let i = 0; i < n; i++) {
      const empty = this.#bytes[i] === 0;
      this.#storages[i] = empty ? context.nothing : storages[this.slots[i]!]!;
      this.#offsets[i] = empty ? 256 * i : offsets[this.slots[i]!]!;
    }
    this.#variant = this.#planned();
    return this.#variant.pipeline;
  }

  /** The variant for the current places. */
  #planned(): Variant {
    const [storages, offsets, n] = [this.#storages, this.#offsets, this.slots.length];
    let bindings = 0;
    let changed = this.#variant === null;
    for (let i = 0; i < n; i++) {
      let of = bindings;
      for (let j = 0; j < i; j++)
        if (storages[j] === storages[i] && offsets[j] === offsets[i]) {
          of = this.#of[j]!;
          break;
        }
      changed ||= this.#of[i] !== of;
      this.#of[i] = of;
      if (of < bindings) continue;
      let access: Access = "read";
      for (let j = 0; j < n; j++) if (this.#writes[j] && storages[j] === storages[i]) access = "readwrite";
      changed ||= this.#access[bindings] !== access;
      this.#access[bindings++] = access;
    }
    changed ||= this.#access.length !== bindings;
    this.#access.length = bindings;
    return changed ? this.kernel.variant({ of: [...this.#of], access: [...this.#access] }) : this.#variant!;
  }

  encode(context: LaunchContext): void {
    const variant = this.#variant!;
    if (variant.workgroups.includes(0)) return;
    const { queue } = context;
    // A pipeline nobody has used yet may be refused, and would take its whole batch with it.
    const alone = !variant.pipeline.isTried;
    if (alone) queue.flush();
    for (const s of this.#storages) s.batch = queue.batch;
    queue.dispatch(variant.pipeline, this.#group(variant, context), variant.workgroups);
    if (!alone) return;
    queue.flush();
    variant.pipeline.isTried = true;
  }

  #group(variant: Variant, { device, zero }: LaunchContext): GPUBindGroup {
    const [storages, offsets, n] = [this.#storages, this.#offsets, this.slots.length];
    search: for (const known of this.#groups) {
      if (known.variant !== variant) continue;
      for (let i = 0; i < n; i++)
        if (known.storages[i] !== storages[i]!.id || known.offsets[i] !== offsets[i]) continue search;
      return known.group;
    }
    const { of, access } = variant.plan;
    const entries: GPUBindGroupEntry[] = access.map((_, binding) => {
      const i = of.indexOf(binding);
      const size = Math.max(4, this.#bytes[i]!);
      return { binding, resource: { buffer: storages[i]!.raw, offset: offsets[i]!, size } };
    });
    if (variant.needsZero) entries.push({ binding: access.length, resource: { buffer: zero } });
    const group = device.createBindGroup({ layout: variant.pipeline.layout, entries });
    const cached = { variant, storages: storages.map((s) => s.id), offsets: [...offsets], group };
    this.#groups[this.#nextGroup++ % CACHED_GROUPS] = cached;
    return group;
  }
}
