/**
 * Running loaded programs: steps become commands in the device's queue. Programs whose steps need no value from the device
 * are encoded straight through; loops and branches that depend on one are tasks, which read it back and go on. A scan is
 * encoded as its rounds, whose rows are bound where they lie if their offsets are aligned, else copied.
 */
import type { HostArray } from "../../core/hostArray.ts";
import type { ReferenceContext } from "../../core/primitive.ts";
import { withPlace } from "../../core/problem.ts";
import type { Fate } from "./fate.ts";
import type { Frame, LoadedCall, LoadedStep, Location } from "./loaded.ts";
import type { LaunchContext, LoadedLaunch } from "./launch.ts";
import { type Pipeline, refusedKernel } from "./pipelines.ts";
import type { Reader } from "./reader.ts";
import type { Storage, StoragePool } from "./storage.ts";
import { storedBytes, toWords } from "./words.ts";

export interface RunContext extends LaunchContext {
  readonly pool: StoragePool;
  readonly reader: Reader;
  readonly alignment: number;
  readonly host: ReferenceContext;
  callHost<T>(f: () => T): T;
  giveBack(storage: Storage): void;
}

/** One run of a program. */
export class Run {
  readonly #context: RunContext;
  readonly #fate: Fate;
  readonly #arena: Storage;
  readonly #watched = new Set<Pipeline>();

  constructor(context: RunContext, fate: Fate, arena: Storage) {
    this.#context = context;
    this.#fate = fate;
    this.#arena = arena;
  }

  /** Encodes a program none of whose steps waits. */
  encode(frame: Frame): void {
    for (const step of frame.steps) this.#encode(step, frame);
  }
  async execute(frame: Frame): Promise<void> {
    for (const step of frame.steps) {
      if (this.#fate.failure) throw this.#fate.failure;
      switch (step.kind) {
        case "cond":
          await this.#cond(step, frame);
          break;
        case "while":
          await this.#while(step, frame);
          break;
        case "host":
          await this.#hostCall(step, frame);
          break;
        case "scan":
          if (step.waits) await this.#scan(step, frame, (call) => this.execute(call.frame));
          else this.#encode(step, frame);
          break;
        default:
          this.#encode(step, frame);
      }
    }
  }

  #encode(step: LoadedStep, frame: Frame): void {
    switch (step.kind) {
      case "launch":
        return this.#launch(step, frame);
      case "copy":
        return this.#copy(at(frame, step.from), at(frame, step.to), frame.slot(step.from).bytes);
      case "scan": {
        const rounds = this.#rounds(step, frame);
        while (!rounds.next().done) this.encode(step.body.frame);
        return;
      }
      default:
        throw new TypeError(`a ${step.kind} step waits`);
    }
  }

  #launch(launch: LoadedLaunch, frame: Frame): void {
    const pipeline = launch.prepare(frame.storages, frame.offsets, this.#context);
    if (!pipeline.isVerified || pipeline.failure !== null) this.#watch(pipeline, launch);
    // Known to be refused: its batch would be too.
    if (pipeline.failure === null) launch.encode(this.#context);
  }
  /** Makes the driver's verdict on a pipeline part of this run's fate. */
  #watch(pipeline: Pipeline, launch: LoadedLaunch): void {
    if (this.#watched.has(pipeline)) return;
    this.#watched.add(pipeline);
    const fate = this.#fate;
    const hear = (): void => {
      if (pipeline.failure === null) return;
      const where = launch.sources.map((s) => s.frame()).find((f) => f !== "") ?? "";
      fate.fail(refusedKernel(launch.kernel.nest.name, pipeline.failure, where));
    };
    if (pipeline.isVerified) return hear();
    fate.open();
    void pipeline.verdict.then(() => {
      hear();
      fate.close();
    });
  }

  /** WebGPU copies only between different buffers, so within one there is a stop on the way. */
  #copy(from: Location, to: Location, bytes: number): void {
    const { queue, pool } = this.#context;
    if (bytes === 0 || (from.storage === to.storage && from.offset === to.offset)) return;
    if (from.storage !== to.storage) return queue.copy(from.storage, from.offset, to.storage, to.offset, bytes);
    const stop = pool.take(bytes);
    queue.copy(from.storage, from.offset, stop, 0, bytes);
    queue.copy(stop, 0, to.storage, to.offset, bytes);
    this.#context.giveBack(stop);
  }

  /** Tells a sub-program where its operands and results are. */
  #enter({ call, frame }: LoadedCall, outer: Frame, inputs = call.inputs, outputs = call.outputs): void {
    for (let i = 0; i < inputs.length; i++) frame.setInput(i, outer.storages[inputs[i]!]!, outer.offsets[inputs[i]!]!);
    for (let i = 0; i < outputs.length; i++)
      frame.setOutput(i, outer.storages[outputs[i]!]!, outer.offsets[outputs[i]!]!);
    frame.setArena(this.#arena, this.#base(outer) + call.arenaOffset);
    this.#bases.set(frame, this.#base(outer) + call.arenaOffset);
  }
  readonly #bases = new Map<Frame, number>();
  #base(frame: Frame): number {
    return this.#bases.get(frame) ?? 0;
  }

  /** The word at the start of a slot. */
  async #word(frame: Frame, slot: number): Promise<number> {
    const buffer = await this.#context.reader.read(at(frame, slot), 4);
    await this.#context.queue.answered;
    if (this.#fate.failure) throw this.#fate.failure;
    return new Int32Array(buffer)[0]!;
  }

  async #cond({ step, branches }: Extract<LoadedStep, { kind: "cond" }>, frame: Frame): Promise<void> {
    const chosen = await this.#word(frame, step.index);
    const branch = branches[Math.min(Math.max(chosen, 0), branches.length - 1)]!;
    this.#enter(branch, frame);
    await this.execute(branch.frame);
  }

  async #while({ step, predicate, body }: Extract<LoadedStep, { kind: "while" }>, frame: Frame): Promise<void> {
    const { carries, predicateConsts, bodyConsts, flag } = step;
    let turn: 0 | 1 = 0;
    for (;;) {
      const [from, to] = [carries[turn], carries[turn === 0 ? 1 : 0]];
      this.#enter(predicate, frame, [...predicate.call.inputs.slice(0, predicateConsts), ...from], [flag]);
      await this.execute(predicate.frame);
      if ((await this.#word(frame, flag)) === 0) break;
      this.#enter(body, frame, [...body.call.inputs.slice(0, bodyConsts), ...from], to);
      await this.execute(body.frame);
      turn = turn === 0 ? 1 : 0;
    }
    this.#finish(carries[turn], step.results, frame);
  }
  #finish(carry: readonly number[], results: readonly number[], frame: Frame): void {
    carry.forEach((slot, i) => this.#copy(at(frame, slot), at(frame, results[i]!), frame.slot(slot).bytes));
  }

  async #scan(
    step: Extract<LoadedStep, { kind: "scan" }>,
    frame: Frame,
    run: (body: LoadedCall) => Promise<void>,
  ): Promise<void> {
    const rounds = this.#rounds(step, frame);
    while (!rounds.next().done) await run(step.body);
  }

  /** Sets the body's frame for round after round; between two steps of the iterator the body is run. */
  *#rounds({ step, body }: Extract<LoadedStep, { kind: "scan" }>, frame: Frame): Generator<void> {
    const { carries, consts, slicesIn, slicesOut, length, reverse } = step;
    const carried = carries[0].length;
    const fixed = body.call.inputs.slice(0, consts);
    const rowsIn = slicesIn.map((slot) => this.#rows(frame, slot, length));
    const rowsOut = slicesOut.map((slot) => this.#rows(frame, slot, length));
    let turn: 0 | 1 = 0;
    for (let i = 0; i < length; i++) {
      const row = reverse ? length - 1 - i : i;
      const [from, to] = [carries[turn], carries[turn === 0 ? 1 : 0]];
      this.#enter(body, frame, [...fixed, ...from], to);
      rowsIn.forEach((r, k) => {
        const { storage, offset } = r.take(row);
        if (r.stop) this.#context.queue.copy(r.whole.storage, r.offset(row), storage, 0, r.bytes);
        body.frame.setInput(consts + carried + k, storage, offset);
      });
      rowsOut.forEach((r, k) => {
        const { storage, offset } = r.take(row);
        body.frame.setOutput(carried + k, storage, offset);
      });
      yield;
      for (const r of rowsOut) if (r.stop) this.#context.queue.copy(r.stop, 0, r.whole.storage, r.offset(row), r.bytes);
      turn = turn === 0 ? 1 : 0;
    }
    for (const { stop } of [...rowsIn, ...rowsOut]) if (stop) this.#context.giveBack(stop);
    this.#finish(carries[turn], step.results, frame);
  }
  #rows(frame: Frame, slot: number, length: number): Rows {
    const { alignment, pool } = this.#context;
    const bytes = length === 0 ? 0 : frame.slot(slot).bytes / length;
    const whole = at(frame, slot);
    const aligned = bytes % alignment === 0 && whole.offset % alignment === 0;
    return new Rows(whole, bytes, aligned ? null : pool.take(bytes));
  }

  async #hostCall(step: Extract<LoadedStep, { kind: "host" }>, frame: Frame): Promise<void> {
    const { queue, reader, host, callHost } = this.#context;
    const inputs = await Promise.all(
      step.inputs.map(async (slot): Promise<HostArray> => {
        const { aval } = frame.slot(slot);
        return reader.host(aval, at(frame, slot), storedBytes(aval));
      }),
    );
    await queue.answered;
    if (this.#fate.failure) throw this.#fate.failure;
    const outputs = withPlace(
      () => step.source.frame(),
      () => callHost(() => step.call(inputs, host)),
    );
    step.outputs.forEach((slot, i) => {
      const { storage, offset } = at(frame, slot);
      queue.write(storage, offset, toWords(outputs[i]!));
    });
  }
}

/** The rows of an array that a scan goes through. */
class Rows {
  readonly whole: Location;
  readonly bytes: number;
  /** Where a row is copied to, if it cannot be bound where it lies. */
  readonly stop: Storage | null;
  constructor(whole: Location, bytes: number, stop: Storage | null) {
    this.whole = whole;
    this.bytes = bytes;
    this.stop = stop;
  }
  offset(row: number): number {
    return this.whole.offset + row * this.bytes;
  }
  /** What the body is given. */
  take(row: number): Location {
    return this.stop ? { storage: this.stop, offset: 0 } : { storage: this.whole.storage, offset: this.offset(row) };
  }
}

const at = (frame: Frame, slot: number): Location => ({
  storage: frame.storages[slot]!,
  offset: frame.offsets[slot]!,
});
