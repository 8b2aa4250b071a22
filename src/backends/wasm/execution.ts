/**
 * One execution of a program: its steps, over addresses. A frame holds the addresses of a program's slots; those of
 * sub-programs are made when they are first entered, so that the rounds of a loop allocate nothing.
 */
import { packedLayout } from "../../core/elementTypes.ts";
import type { HostArray } from "../../core/hostArray.ts";
import type { ReferenceContext } from "../../core/primitive.ts";
import { withPlace } from "../../core/problem.ts";
import type { Call, Program, Scan, Slot, Step, While } from "../../compiler/program.ts";
import { writeHost } from "../../compiler/runProgram.ts";
import { hostAt, storedAt } from "./buffer.ts";
import type { WasmMemory } from "./memory.ts";

export type Kernel = (...addresses: number[]) => void;
/** Runs all tasks of a kernel, on several threads if they are there and have scratch memory. */
export type RunTasks = (kernel: number, addresses: readonly number[], scratch: number, threads: number) => void;
/** How the kernels of a program are run. */
export interface Launcher {
  readonly kernels: readonly Kernel[];
  /** Whether a kernel falls into tasks. */
  readonly hasTasks: readonly boolean[];
  readonly runTasks: RunTasks;
}

interface Frame {
  readonly program: Program;
  readonly arena: number;
  /** The address of every slot. */
  readonly places: number[];
  /** The slots of inputs and outputs; −1 where there is none, because nobody reads it. */
  readonly ins: readonly number[];
  readonly outs: readonly number[];
}

export class Execution {
  readonly #wasm: WasmMemory;
  readonly #context: ReferenceContext;
  readonly #launcher: Launcher;
  readonly #constants: ReadonlyMap<Slot, number>;
  readonly #scratch: number;
  readonly #threads: number;
  readonly #entered = new Map<Call, Frame>();

  /** @param scratch the address of scratch memory that is enough for so many threads. */
  constructor(
    wasm: WasmMemory,
    context: ReferenceContext,
    launcher: Launcher,
    constants: ReadonlyMap<Slot, number>,
    scratch: number,
    threads: number,
  ) {
    this.#wasm = wasm;
    this.#context = context;
    this.#launcher = launcher;
    this.#constants = constants;
    this.#scratch = scratch;
    this.#threads = threads;
  }

  run(program: Program, ins: readonly number[], outs: readonly number[], arena: number): void {
    const frame = this.#frame(program, arena);
    ins.forEach((at, i) => setInput(frame, i, at));
    outs.forEach((at, o) => setOutput(frame, o, at));
    this.#steps(frame);
  }

  #frame(program: Program, arena: number): Frame {
    const ins = new Array<number>(program.inputs.length).fill(-1);
    const outs = new Array<number>(program.outputs.length).fill(-1);
    const places = program.slots.map((slot, i) => {
      const { place } = slot;
      if (place.kind === "arena") return arena + place.offset;
      if (place.kind === "constant") return this.#constants.get(slot)!;
      (place.kind === "input" ? ins : outs)[place.index] = i;
      return 0;
    });
    return { program, arena, places, ins, outs };
  }

  /** The frame of a sub-program, with inputs and outputs as the call names them. */
  #enter(call: Call, from: Frame): Frame {
    let frame = this.#entered.get(call);
    if (!frame) this.#entered.set(call, (frame = this.#frame(call.program, from.arena + call.arenaOffset)));
    const { inputs, outputs } = call;
    for (let i = 0; i < inputs.length; i++) setInput(frame, i, from.places[inputs[i]!]!);
    for (let o = 0; o < outputs.length; o++) setOutput(frame, o, from.places[outputs[o]!]!);
    return frame;
  }

  #steps(frame: Frame): void {
    const { steps } = frame.program;
    for (let i = 0; i < steps.length; i++) this.#step(steps[i]!, frame);
  }

  #step(step: Step, frame: Frame): void {
    const { places } = frame;
    switch (step.kind) {
      case "launch":
        return this.#launch(step.kernel, step.slots, places);
      case "copy":
        return this.#copy(frame, step.from, step.to);
      case "cond": {
        const index = this.#stored(frame, step.index)[0]!;
        const branch = step.branches[Math.min(Math.max(index, 0), step.branches.length - 1)]!;
        return this.#steps(this.#enter(branch, frame));
      }
      case "while":
        return this.#while(step, frame);
      case "scan":
        return this.#scan(step, frame);
      case "routine": {
        const { eqn, inputs, outputs } = step;
        const avals = outputs.map((s) => frame.program.slots[s]!.aval);
        const ins = inputs.map((s) => this.#host(frame, s));
        return this.#write(frame, outputs, eqn.primitive.reference(ins, eqn.params, avals, this.#context));
      }
      case "host": {
        const ins = step.inputs.map((s) => this.#host(frame, s));
        const outs = withPlace(
          () => step.source.frame(),
          () => step.call(ins, this.#context),
        );
        return this.#write(frame, step.outputs, outs);
      }
    }
  }

  #launch(number: number, slots: readonly number[], places: readonly number[]): void {
    const { kernels, hasTasks, runTasks } = this.#launcher;
    if (hasTasks[number]) {
      const addresses = slots.map((s) => places[s]!);
      return runTasks(number, addresses, this.#scratch, this.#threads);
    }
    launch(kernels[number]!, slots, places, this.#scratch);
  }

  #while({ predicate, body, flag, predicateConsts, bodyConsts, carries, results }: While, frame: Frame): void {
    const { places } = frame;
    const [test, work] = [this.#enter(predicate, frame), this.#enter(body, frame)];
    for (let round = 0; ; round ^= 1) {
      const [now, next] = [carries[round]!, carries[round ^ 1]!];
      for (let c = 0; c < now.length; c++) setInput(test, predicateConsts + c, places[now[c]!]!);
      this.#steps(test);
      if (this.#wasm.bytes[places[flag]!] === 0) return this.#copies(frame, now, results);
      for (let c = 0; c < now.length; c++) {
        setInput(work, bodyConsts + c, places[now[c]!]!);
        setOutput(work, c, places[next[c]!]!);
      }
      this.#steps(work);
    }
  }

  #scan({ body, consts, carries, results, slicesIn, slicesOut, length, reverse }: Scan, frame: Frame): void {
    const { places } = frame;
    const { slots } = frame.program;
    if (length === 0) return this.#copies(frame, carries[0], results);
    const work = this.#enter(body, frame);
    const n = results.length;
    const row = (slot: number, i: number): number => places[slot]! + (slots[slot]!.bytes / length) * i;
    for (let round = 0; round < length; round++) {
      const [now, next] = [carries[round & 1]!, carries[(round + 1) & 1]!];
      const i = reverse ? length - 1 - round : round;
      for (let c = 0; c < n; c++) {
        setInput(work, consts + c, places[now[c]!]!);
        setOutput(work, c, places[next[c]!]!);
      }
      for (let s = 0; s < slicesIn.length; s++) setInput(work, consts + n + s, row(slicesIn[s]!, i));
      for (let s = 0; s < slicesOut.length; s++) setOutput(work, n + s, row(slicesOut[s]!, i));
      this.#steps(work);
    }
    return this.#copies(frame, carries[length & 1]!, results);
  }

  #stored = (frame: Frame, slot: number) => storedAt(frame.program.slots[slot]!.aval, frame.places[slot]!, this.#wasm);
  #host = (frame: Frame, slot: number): HostArray =>
    hostAt(frame.program.slots[slot]!.aval, frame.places[slot]!, this.#wasm);
  #write(frame: Frame, slots: readonly number[], values: readonly HostArray[]): void {
    values.forEach((x, i) => writeHost(x, packedLayout, this.#stored(frame, slots[i]!)));
  }
  #copy({ places, program }: Frame, from: number, to: number): void {
    const [source, target] = [places[from]!, places[to]!];
    if (source !== target) this.#wasm.bytes.copyWithin(target, source, source + program.slots[to]!.bytes);
  }
  #copies(frame: Frame, from: readonly number[], to: readonly number[]): void {
    for (let i = 0; i < to.length; i++) this.#copy(frame, from[i]!, to[i]!);
  }
}

function setInput(frame: Frame, input: number, address: number): void {
  const slot = frame.ins[input]!;
  if (slot >= 0) frame.places[slot] = address;
}
function setOutput(frame: Frame, output: number, address: number): void {
  const slot = frame.outs[output]!;
  if (slot >= 0) frame.places[slot] = address;
}

/** Calls a kernel with the addresses of its buffers and of scratch. */
function launch(kernel: Kernel, slots: readonly number[], p: readonly number[], scratch: number): void {
  switch (slots.length) {
    case 1:
      return kernel(p[slots[0]!]!, scratch);
    case 2:
      return kernel(p[slots[0]!]!, p[slots[1]!]!, scratch);
    case 3:
      return kernel(p[slots[0]!]!, p[slots[1]!]!, p[slots[2]!]!, scratch);
    case 4:
      return kernel(p[slots[0]!]!, p[slots[1]!]!, p[slots[2]!]!, p[slots[3]!]!, scratch);
    default:
      return kernel(...slots.map((s) => p[s]!), scratch);
  }
}
