/**
 * assignBuffers: where every array of a program lives.
 *
 * Steps come in with variables for operands and results. Results that the program returns are written straight into the
 * caller's buffers; other arrays are runs of one arena, free again after their last reader. A kernel that reads an array
 * for the last time may write its result over it; so may the kernel that reads a donated input last.
 */
import { sizeOf } from "../core/shape.ts";
import { storageBytes } from "../core/scalar.ts";
import { type Atom, Var } from "../core/jaxpr.ts";
import type { Aval } from "../core/aval.ts";
import { type HostArray, allocateLike, lanesOf } from "../core/hostArray.ts";
import type { Literal } from "../core/ndarray.ts";
import type { Source } from "../core/source.ts";
import { mayOverwrite } from "./inPlace.ts";
import type { KernelList } from "./kernelList.ts";
import type { LoopNest } from "./loopNest/loopNest.ts";
import { type Call, type Place, type Program, type Slot, type Step, callsOf } from "./program.ts";
import type { Target } from "./target.ts";
import { Arena } from "./arena.ts";

/** A step before its arrays have places. */
export interface Draft {
  readonly reads: readonly Atom[];
  readonly writes: readonly Var[];
  /** Bytes of arena for sub-programs and carries, needed during the step. */
  readonly scratch: readonly number[];
  /** Equations that went into it. */
  readonly sources: readonly Source[];
  /** For kernels: the nest, whose parameters are the reads and then the writes. */
  readonly nest: LoopNest | null;
  /** The step, from the slots of reads and writes, and the arena offsets of the scratch. */
  readonly build: (
    reads: readonly number[],
    writes: readonly number[],
    scratch: readonly number[],
    addSlot: (slot: Slot) => number,
  ) => readonly Step[];
}

export const bytesOf = (aval: Aval, target: Target): number =>
  sizeOf(aval.shape) * lanesOf(aval.dtype) * storageBytes[target.layout[aval.dtype]];

export const literalHost = (x: Literal): HostArray => {
  const host = allocateLike(x.aval);
  host.data[0] = x.value;
  return host;
};

export interface Assignment {
  readonly name: string;
  readonly inputs: readonly Var[];
  /** Values of inputs that the program brings itself. */
  readonly constants: ReadonlyMap<Var, HostArray>;
  readonly outs: readonly Atom[];
  readonly drafts: readonly Draft[];
  readonly donated: readonly boolean[];
  /** Nothing shares memory. */
  readonly separate: boolean;
}

/** @param kernels where kernels are added; shared with sub-programs. */
export function assignBuffers(
  { name, inputs, constants, outs, drafts: unordered, donated, separate }: Assignment,
  target: Target,
  kernels: KernelList,
): Program {
  const drafts = readersFirst(
    unordered,
    inputs.filter((v) => !constants.has(v)),
    outs,
    donated,
  );
  const slots: Slot[] = [];
  const steps: Step[] = [];
  const slotOf = new Map<Var, number>();
  const addSlot = (slot: Slot): number => slots.push(slot) - 1;
  const newSlot = (aval: Aval, place: Place): number => addSlot({ aval, bytes: bytesOf(aval, target), place });
  let nextInput = 0;
  for (const v of inputs) {
    const value = constants.get(v);
    slotOf.set(v, newSlot(v.aval, value ? { kind: "constant", value } : { kind: "input", index: nextInput++ }));
  }
  const inputIndex = new Map(inputs.filter((v) => !constants.has(v)).map((v, i) => [v, i]));
  /** The first place in the results of a variable that a step makes. */
  const outputOf = new Map<Var, number>();
  outs.forEach((a, i) => {
    if (a instanceof Var && !slotOf.has(a) && !outputOf.has(a)) outputOf.set(a, i);
  });
  const last = lastReads(drafts);
  const arena = new Arena(target.alignment);
  const reuses = new Map<number, number>();
  const taken = new Set<number>();
  const readSlot = (a: Atom): number => {
    if (!(a instanceof Var)) return newSlot(a.aval, { kind: "constant", value: literalHost(a) });
    return slotOf.get(a)!;
  };

  drafts.forEach((draft, i) => {
    let { nest } = draft;
    const reads = draft.reads.map(readSlot);
    const dying = (a: Atom): a is Var => a instanceof Var && last.get(a) === i && !outs.includes(a);
    const kept = draft.reads.map(() => true);
    const overwritten = new Set<Var>();
    const writes = draft.writes.map((v, w) => {
      // Written before: a kernel that updates it.
      const written = slotOf.get(v);
      if (written !== undefined) return written;
      const output = outputOf.get(v);
      const bytes = bytesOf(v.aval, target);
      // An operand that nobody reads any more, of the same size, read where the result is written.
      const over = draft.reads.findIndex((a, r) => {
        if (separate || !nest || !kept[r] || !dying(a) || overwritten.has(a) || bytes === 0) return false;
        const { place } = slots[reads[r]!]!;
        const allowed =
          output === undefined
            ? place.kind === "arena"
            : place.kind === "input" && donated[place.index] === true && !taken.has(place.index);
        return (
          allowed &&
          bytesOf(a.aval, target) === bytes &&
          mayOverwrite(nest, draftBuffer(draft, r), draftBuffer(draft, draft.reads.length + w))
        );
      });
      if (over >= 0) {
        const a = draft.reads[over] as Var;
        const place = slots[reads[over]!]!.place;
        overwritten.add(a);
        kept[over] = false;
        nest = kernels.overwriting(nest!, draftBuffer(draft, over), draftBuffer(draft, draft.reads.length + w));
        if (place.kind === "input") {
          reuses.set(output!, place.index);
          taken.add(place.index);
        } else {
          const slot = newSlot(v.aval, place);
          slotOf.set(v, slot);
          return slot;
        }
      }
      const place: Place =
        output === undefined ? { kind: "arena", offset: arena.allocate(bytes) } : { kind: "output", index: output };
      const slot = newSlot(v.aval, place);
      slotOf.set(v, slot);
      return slot;
    });
    const scratch = draft.scratch.map((bytes) => arena.allocate(bytes));
    if (nest) {
      const kernel = kernels.add(nest);
      const used = reads.filter((_, r) => kept[r]);
      if (draft.writes.some((v) => v.aval.size > 0))
        steps.push({ kind: "launch", kernel, slots: [...used, ...writes], sources: draft.sources });
      arena.step();
    } else {
      const built = draft.build(reads, writes, scratch, addSlot);
      steps.push(...built);
      arena.step(spareBytes(built.flatMap(callsOf)));
    }
    if (separate) return;
    draft.scratch.forEach((bytes, k) => arena.release(scratch[k]!, bytes));
    // What dies here is free again, unless its place has been taken over.
    for (const a of new Set([...draft.reads, ...draft.writes])) {
      if (!(a instanceof Var) || overwritten.has(a)) continue;
      const { place, bytes } = slots[slotOf.get(a)!]!;
      const dead = last.get(a) === i || (last.get(a) === undefined && draft.writes.includes(a));
      if (dead && place.kind === "arena") arena.release(place.offset, bytes);
    }
  });

  // A donated input that no kernel overwrites may still hold a result made after its last reader.
  const made = new Map<Var, number>();
  drafts.forEach((d, i) => d.writes.forEach((v) => made.set(v, i)));
  for (const [v, output] of outputOf) {
    if (separate || reuses.has(output)) continue;
    for (const [x, input] of inputIndex) {
      if (donated[input] !== true || taken.has(input) || bytesOf(x.aval, target) !== bytesOf(v.aval, target)) continue;
      if (outs.includes(x) || (last.get(x) ?? -1) >= (made.get(v) ?? -1)) continue;
      reuses.set(output, input);
      taken.add(input);
      break;
    }
  }

  outs.forEach((a, i) => {
    if (a instanceof Var && outputOf.get(a) === i) return;
    const from = readSlot(a);
    steps.push({ kind: "copy", from, to: newSlot(a.aval, { kind: "output", index: i }) });
  });
  return {
    name,
    inputs: inputs.filter((v) => !constants.has(v)).map((v) => v.aval),
    outputs: outs.map((a) => a.aval),
    kernels: kernels.nests,
    slots,
    steps,
    arenaBytes: arena.bytes,
    idealArenaBytes: arena.peakLive,
    reuses,
  };
}

/** Bytes that the arenas of sub-programs have beyond what a perfect plan would need. Branches share one arena. */
function spareBytes(calls: readonly Call[]): number {
  const arenas = new Map<number, Program[]>();
  for (const { arenaOffset, program } of calls) arenas.set(arenaOffset, [...(arenas.get(arenaOffset) ?? []), program]);
  const most = (of: readonly number[]): number => of.reduce((a, b) => Math.max(a, b));
  return [...arenas.values()]
    .map((of) => most(of.map((p) => p.arenaBytes)) - most(of.map((p) => p.idealArenaBytes)))
    .reduce((a, b) => a + b, 0);
}

const draftBuffer = (d: Draft, param: number) => d.nest!.params[param]!.buffer;

const lastReads = (drafts: readonly Draft[]): Map<Var, number> => {
  const last = new Map<Var, number>();
  drafts.forEach((d, i) => {
    for (const a of d.reads) if (a instanceof Var) last.set(a, i);
  });
  return last;
};

/**
 * Steps in an order in which a kernel that can overwrite a donated input comes after the input's other readers, as far
 * as dependencies allow.
 */
function readersFirst(
  drafts: readonly Draft[],
  inputs: readonly Var[],
  outs: readonly Atom[],
  donated: readonly boolean[],
): readonly Draft[] {
  const given = new Set(inputs.filter((_, i) => donated[i]));
  if (given.size === 0) return drafts;
  const maker = new Map<Var, Draft>();
  for (const d of drafts) for (const v of d.writes) maker.set(v, d);
  const after = new Map<Draft, Set<Draft>>(drafts.map((d) => [d, new Set()]));
  drafts.forEach((d, i) => {
    for (const a of d.reads) {
      const from = a instanceof Var ? maker.get(a) : undefined;
      if (from) after.get(d)!.add(from);
    }
    // What is no kernel may have effects: it keeps its place among its like.
    if (!d.nest) for (const e of drafts.slice(0, i)) if (!e.nest) after.get(d)!.add(e);
  });
  const reaches = (from: Draft, to: Draft): boolean => {
    const seen = new Set<Draft>();
    const stack = [from];
    while (stack.length > 0) {
      const d = stack.pop()!;
      if (d === to) return true;
      if (seen.has(d)) continue;
      seen.add(d);
      stack.push(...after.get(d)!);
    }
    return false;
  };
  for (const x of given)
    for (const d of drafts) {
      const overwrites = d.writes.some(
        (v) => outs.includes(v) && v.aval.size === x.aval.size && v.aval.dtype === x.aval.dtype,
      );
      if (!d.nest || !overwrites || !d.reads.includes(x)) continue;
      for (const reader of drafts)
        if (reader !== d && reader.reads.includes(x) && !reaches(reader, d)) after.get(d)!.add(reader);
    }
  const done = new Set<Draft>();
  const out: Draft[] = [];
  const waiting = [...drafts];
  while (waiting.length > 0) {
    const i = waiting.findIndex((d) => [...after.get(d)!].every((e) => done.has(e)));
    const [next] = waiting.splice(Math.max(0, i), 1);
    done.add(next!);
    out.push(next!);
  }
  return out;
}
