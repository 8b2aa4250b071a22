/**
 * Programs made ready for a device: kernels shared, constants uploaded, and for every program and sub-program a frame, the
 * table of where its slots are. Frames are filled anew for each run; one is enough, because the queue runs programs one
 * after the other.
 */
import type {
  Call,
  Launch,
  Place,
  Program,
  Scan,
  Slot,
  Step,
  While,
  Cond,
  Copy,
  HostCall,
} from "../../compiler/program.ts";
import type { HostArray } from "../../core/hostArray.ts";
import { unreachable } from "../../core/problem.ts";
import { type Kernel, LoadedLaunch } from "./launch.ts";
import type { Storage } from "./storage.ts";

/** A run of bytes in a piece of storage. */
export interface Location {
  readonly storage: Storage;
  readonly offset: number;
}

export type LoadedStep =
  | LoadedLaunch
  | Copy
  | HostCall
  | { readonly kind: "cond"; readonly step: Cond; readonly branches: readonly LoadedCall[] }
  | { readonly kind: "while"; readonly step: While; readonly predicate: LoadedCall; readonly body: LoadedCall }
  | { readonly kind: "scan"; readonly step: Scan; readonly body: LoadedCall; readonly waits: boolean };

export interface LoadedCall {
  readonly call: Call;
  readonly frame: Frame;
}

export class Frame {
  readonly program: Program;
  readonly steps: readonly LoadedStep[];
  /** Whether a step must wait for a value. */
  readonly waits: boolean;
  readonly storages: Storage[];
  readonly offsets: number[];
  readonly #inputs: readonly (readonly number[])[];
  readonly #outputs: readonly (readonly number[])[];
  readonly #arena: readonly number[];

  constructor(program: Program, steps: readonly LoadedStep[], constants: readonly (Storage | null)[]) {
    this.program = program;
    this.steps = steps;
    this.waits = steps.some(waits);
    this.storages = constants as Storage[];
    this.offsets = program.slots.map(() => 0);
    const having = (kind: Place["kind"], index: number): number[] =>
      program.slots.flatMap(({ place }, i) =>
        place.kind === kind && "index" in place && place.index === index ? [i] : [],
      );
    this.#inputs = program.inputs.map((_, i) => having("input", i));
    this.#outputs = program.outputs.map((_, i) => having("output", i));
    this.#arena = program.slots.flatMap(({ place }, i) => (place.kind === "arena" ? [i] : []));
  }

  setInput(index: number, storage: Storage, offset: number): void {
    for (const slot of this.#inputs[index]!) this.#set(slot, storage, offset);
  }
  setOutput(index: number, storage: Storage, offset: number): void {
    for (const slot of this.#outputs[index]!) this.#set(slot, storage, offset);
  }
  setArena(storage: Storage, base: number): void {
    for (const slot of this.#arena) {
      const { place } = this.program.slots[slot]!;
      if (place.kind === "arena") this.#set(slot, storage, base + place.offset);
    }
  }
  #set(slot: number, storage: Storage, offset: number): void {
    this.storages[slot] = storage;
    this.offsets[slot] = offset;
  }
  slot(i: number): Slot {
    return this.program.slots[i]!;
  }
}

const waits = (s: LoadedStep): boolean =>
  s.kind === "host" || s.kind === "while" || s.kind === "cond" || (s.kind === "scan" && s.waits);

export interface LoadContext {
  kernel(nest: Program["kernels"][number]): Kernel;
  upload(value: HostArray): Storage;
}

/** Makes frames for a program and its sub-programs. Kernels are numbered in the list of the whole. */
export function loadFrame(program: Program, context: LoadContext, kernels?: readonly Kernel[]): Frame {
  const all = kernels ?? program.kernels.map((nest) => context.kernel(nest));
  const call = (c: Call): LoadedCall => ({ call: c, frame: loadFrame(c.program, context, all) });
  const step = (s: Step): LoadedStep => {
    switch (s.kind) {
      case "launch":
        return loadLaunch(s, program, all);
      case "copy":
      case "host":
        return s;
      case "cond":
        return { kind: "cond", step: s, branches: s.branches.map(call) };
      case "while":
        return { kind: "while", step: s, predicate: call(s.predicate), body: call(s.body) };
      case "scan": {
        const body = call(s.body);
        return { kind: "scan", step: s, body, waits: body.frame.waits };
      }
      case "routine":
        return unreachable("WebGPU was given a routine of the host");
    }
  };
  const constants = program.slots.map(({ place }) => (place.kind === "constant" ? context.upload(place.value) : null));
  return new Frame(program, program.steps.map(step), constants);
}

function loadLaunch(s: Launch, program: Program, kernels: readonly Kernel[]): LoadedLaunch {
  const kernel = kernels[s.kernel] ?? unreachable(`${program.name} has no kernel ${s.kernel}`);
  return new LoadedLaunch(kernel, s, program.slots);
}
