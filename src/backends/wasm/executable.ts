/**
 * Running programs in wasm memory. All kernels of a program are functions of one module; the steps between them are run
 * from here, with nothing allocated but results.
 */
import type { Aval } from "../../core/aval.ts";
import { packedLayout } from "../../core/elementTypes.ts";
import type { ReferenceContext } from "../../core/primitive.ts";
import { type Program, type Slot, callsOf } from "../../compiler/program.ts";
import { writeHost } from "../../compiler/runProgram.ts";
import { WasmBuffer, storedAt } from "./buffer.ts";
import { emitModule } from "./codegen.ts";
import { Execution, type Kernel, type Launcher, type RunTasks } from "./execution.ts";
import type { DeviceMemory } from "../ownership.ts";
import { type WasmMemory, smallBytes } from "./memory.ts";
import type { SharedProgram, WorkerPool } from "./pool.ts";

const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Functions of f64 that kernels import; the machine has none. */
const mathModule: Readonly<Record<string, (x: number, y: number) => number>> = {
  ...(Object.fromEntries(
    Object.getOwnPropertyNames(Math)
      .filter((k) => typeof Math[k as "sin"] === "function")
      .map((k) => [k, Math[k as "sin"]]),
  ) as Record<string, (x: number) => number>),
  exp2: (x) => 2 ** x,
  // JavaScript's power differs from IEEE's in two cases.
  pow: (x, y) => (x === 1 || (x === -1 && (y === Infinity || y === -Infinity)) ? 1 : x ** y),
  rem: (x, y) => x % y,
};

/** A program with its kernels compiled. */
export class WasmExecutable {
  readonly program: Program;
  readonly #wasm: WasmMemory;
  readonly #context: ReferenceContext;
  readonly #kernels: readonly Kernel[];
  readonly #pool: WorkerPool;
  /** Bytes of scratch memory that each thread needs. */
  readonly #scratchBytes: number;
  readonly #launcher: Launcher;
  /** The program for workers, shared when they are there, and before that its bytes; null: no kernel is for several threads. */
  #shared: SharedProgram | Uint8Array | null = null;
  readonly #constants: ReadonlyMap<Slot, number>;
  /** Keeps the constants' memory. */
  #constantMemory: DeviceMemory | null = null;
  /** Input of which an output takes over the memory, by output; −1: none. */
  readonly #reused: readonly number[];

  constructor(program: Program, wasm: WasmMemory, context: ReferenceContext, pool: WorkerPool) {
    this.program = program;
    this.#wasm = wasm;
    this.#pool = pool;
    this.#context = context;
    this.#constants = this.#placeConstants();
    const { bytes, scratchBytes } = emitModule(program.kernels, wasm.features);
    this.#scratchBytes = align(Math.max(0, ...scratchBytes));
    this.#reused = program.outputs.map((_, i) => program.reuses.get(i) ?? -1);
    this.#kernels = program.kernels.length > 0 ? this.#instantiate(bytes) : [];
    const hasTasks = program.kernels.map((k) => k.tasks !== undefined);
    if (hasTasks.includes(true)) this.#shared = bytes;
    this.#launcher = { kernels: this.#kernels, hasTasks, runTasks: this.#runTasks };
  }

  #instantiate(bytes: Uint8Array): Kernel[] {
    const imports = { env: { memory: this.#wasm.memory }, math: mathModule };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), imports);
    return this.program.kernels.map((_, i) => exports[`k${i}`] as Kernel);
  }

  /** Runs a kernel that falls into tasks on all threads that are there. */
  readonly #runTasks: RunTasks = (number, args, scratch, threads) => {
    const tasks = this.program.kernels[number]!.tasks!;
    const kernel = this.#kernels[number]!;
    if (!this.#pool.prepare(args.length) || threads < this.#pool.threads)
      return kernel(...args, scratch, 0, tasks.count);
    if (this.#shared instanceof Uint8Array) this.#shared = this.#pool.share(this.#shared);
    this.#pool.run(this.#shared!, number, kernel, args, scratch, this.#scratchBytes, tasks);
  };

  /** Writes the constants of the program and of those inside it to one block. */
  #placeConstants(): Map<Slot, number> {
    const places = new Map<Slot, number>();
    let bytes = 0;
    const visit = (program: Program): void => {
      for (const slot of program.slots) {
        if (slot.place.kind !== "constant") continue;
        places.set(slot, bytes);
        bytes += align(slot.bytes);
      }
      for (const step of program.steps) for (const c of callsOf(step)) visit(c.program);
    };
    visit(this.program);
    if (bytes === 0) return places;
    this.#constantMemory = this.#wasm.own(bytes);
    const { address } = this.#constantMemory;
    for (const [slot, offset] of places) {
      places.set(slot, address + offset);
      if (slot.place.kind === "constant")
        writeHost(slot.place.value, packedLayout, storedAt(slot.aval, address + offset, this.#wasm));
    }
    return places;
  }

  /** Results in order. Donated inputs whose memory a result took over are empty afterwards. */
  run(inputs: readonly WasmBuffer[]): WasmBuffer[] {
    const { program } = this;
    let staged = 0;
    for (const x of inputs) {
      // It was made when there was no room; what is used is likely to be used again.
      if (!x.memory && x.bytes!.length >= smallBytes && this.#wasm.hasRoom) x.moveTo(this.#wasm);
      if (!x.memory) staged += align(x.bytes!.length);
    }
    let small = 0;
    for (const a of program.outputs) if (storedBytes(a) < smallBytes) small += align(storedBytes(a));
    // Workers that are started meanwhile have no scratch memory yet.
    const threads = this.#shared ? this.#pool.threads : 1;
    const total = staged + small + align(program.arenaBytes) + this.#scratchBytes * threads;
    const owned: (WasmBuffer | null)[] = [];
    try {
      // Results come first: their allocation may move the memory.
      program.outputs.forEach((a, o) => owned.push(this.#outputMemory(a, o, inputs)));
      return this.#wasm.withScratch(total, (base) => this.#runAt(base, inputs, owned, threads));
    } catch (error) {
      // Out of memory, or a callback threw: what the results would have held is free again.
      for (const x of owned) if (x && !inputs.some((i) => i.memory === x.memory)) x.release();
      throw error;
    }
  }

  /** Runs with staged operands, small results, the arena and scratch from an address on. */
  #runAt(
    base: number,
    inputs: readonly WasmBuffer[],
    owned: readonly (WasmBuffer | null)[],
    threads: number,
  ): WasmBuffer[] {
    const { program } = this;
    let next = base;
    const ins = inputs.map((x) => {
      if (x.memory) return x.memory.address;
      const at = next;
      this.#wasm.bytes.set(x.bytes!, at);
      next += align(x.bytes!.length);
      return at;
    });
    const outs = owned.map((m, o) => {
      if (m) return m.memory!.address;
      const at = next;
      next += align(storedBytes(program.outputs[o]!));
      return at;
    });
    this.#fillReused(ins, outs);
    const arena = next;
    const scratch = arena + align(program.arenaBytes);
    const execution = new Execution(this.#wasm, this.#context, this.#launcher, this.#constants, scratch, threads);
    execution.run(program, ins, outs, arena);
    this.#emptyReused(inputs, owned);
    return owned.map((m, o) => this.#result(m, outs[o]!, program.outputs[o]!));
  }

  /** Memory of a large result, taken over from a donated input if it is the only one to hold it. */
  #outputMemory(aval: Aval, output: number, inputs: readonly WasmBuffer[]): WasmBuffer | null {
    const bytes = storedBytes(aval);
    if (bytes < smallBytes) return null;
    const reused = this.#reused[output]!;
    const given = reused < 0 ? null : inputs[reused]!;
    if (given?.memory && inputs.indexOf(given) === inputs.lastIndexOf(given))
      return new WasmBuffer(aval, given.memory, null);
    return new WasmBuffer(aval, this.#wasm.own(bytes), null);
  }

  /** Kernels that write over an operand read it there: where the memory is not shared, it is copied. */
  #fillReused(ins: readonly number[], outs: readonly number[]): void {
    for (let o = 0; o < this.#reused.length; o++) {
      const i = this.#reused[o]!;
      if (i < 0 || ins[i] === outs[o]) continue;
      this.#wasm.bytes.copyWithin(outs[o]!, ins[i]!, ins[i]! + storedBytes(this.program.outputs[o]!));
    }
  }

  /** Inputs whose memory is a result's now. */
  #emptyReused(inputs: readonly WasmBuffer[], owned: readonly (WasmBuffer | null)[]): void {
    this.#reused.forEach((i, o) => {
      const given = i < 0 ? null : inputs[i]!;
      if (given?.memory && given.memory === owned[o]?.memory) given.memory = null;
    });
  }

  #result(owned: WasmBuffer | null, address: number, aval: Aval): WasmBuffer {
    const bytes = storedBytes(aval);
    if (!owned) return new WasmBuffer(aval, null, this.#wasm.bytes.slice(address, address + bytes));
    if (this.#wasm.hasRoom) return owned;
    const copy = this.#wasm.bytes.slice(address, address + bytes);
    owned.release();
    return new WasmBuffer(aval, null, copy);
  }
}

const storedBytes = (a: Aval): number => {
  let known = sizes.get(a);
  if (known === undefined) sizes.set(a, (known = a.bytes));
  return known;
};
const sizes = new WeakMap<Aval, number>();
