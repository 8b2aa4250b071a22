/**
 * What worker threads run, as text: the package has no files beside its code, so that bundlers need not know of any.
 *
 * A worker sleeps in `Atomics.wait` on the ticket. When it changes, and the gate is open, the worker goes in, takes
 * ranges of tasks until none are left, and goes out. The main thread closes the gate when nothing is left, and waits until
 * everybody is out: a worker that wakes up late finds the gate closed, and one inside never sees a job change. A blocked
 * worker gets no messages, so programs reach it as bytes in the shared memory, and it compiles them by itself; engines
 * compile the same bytes once.
 */

/** Words of the control block, in the order in which they lie. */
export const word = {
  /** Counts jobs. */
  ticket: 0,
  /** `open`, plus the number of workers inside. */
  gate: 1,
  /** Workers that have started. */
  ready: 2,
  /** Set to 1 by a worker that fails with tasks that it has taken. */
  failed: 3,
  /** The next range of tasks that nobody has taken. */
  next: 4,
  /** What follows is written before the gate opens. The number of a module, and where its bytes are. */
  module: 5,
  address: 6,
  length: 7,
  kernel: 8,
  tasks: 9,
  grain: 10,
  /** The address of the first worker's scratch memory, and the bytes of each. */
  scratch: 11,
  scratchBytes: 12,
  /** How many arguments there are; then the arguments. */
  count: 13,
  args: 14,
} as const;
export const open = 1 << 30;
/** Arguments of a kernel that runs on workers, at most. */
export const mostArguments = 48;
export const controlWords = word.args + mostArguments;

/** Looks at the ticket before a worker goes to sleep: kernels of a program follow each other closely. */
const looks = 20000;
/** Programs that a worker remembers. */
const mostModules = 256;

/** A program that calls `start({ memory, control, number })` once, where its host has put these. */
export const workerSource = `"use strict";
const start = ({ memory, control, number }) => {
  const words = new Int32Array(memory.buffer, control, ${controlWords});
  const math = { exp2: (x) => 2 ** x, rem: (x, y) => x % y };
  for (const name of Object.getOwnPropertyNames(Math)) if (typeof Math[name] === "function") math[name] = Math[name];
  math.pow = (x, y) => (x === 1 || (x === -1 && (y === Infinity || y === -Infinity)) ? 1 : x ** y);
  const modules = new Map();
  const load = (id, bytes) => {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory }, math });
    if (modules.size >= ${mostModules}) modules.delete(modules.keys().next().value);
    modules.set(id, instance.exports);
  };
  const enter = () => {
    for (;;) {
      const gate = Atomics.load(words, ${word.gate});
      if ((gate & ${open}) === 0) return false;
      if (Atomics.compareExchange(words, ${word.gate}, gate, gate + 1) === gate) return true;
    }
  };
  const leave = () => {
    if (Atomics.sub(words, ${word.gate}, 1) === 1) Atomics.notify(words, ${word.gate});
  };
  const work = (exports) => {
    const run = exports["k" + words[${word.kernel}]];
    const [tasks, grain, count] = [words[${word.tasks}], words[${word.grain}], words[${word.count}]];
    const args = Array.from(words.subarray(${word.args}, ${word.args} + count));
    args.push(words[${word.scratch}] + number * words[${word.scratchBytes}]);
    for (;;) {
      const from = Atomics.add(words, ${word.next}, 1) * grain;
      if (from >= tasks) return;
      run(...args, from, Math.min(from + grain, tasks));
    }
  };
  let seen = 0;
  Atomics.add(words, ${word.ready}, 1);
  try {
    for (;;) {
      for (let i = 0; i < ${looks} && Atomics.load(words, ${word.ticket}) === seen; i++);
      Atomics.wait(words, ${word.ticket}, seen);
      const ticket = Atomics.load(words, ${word.ticket});
      if (ticket === seen) continue;
      seen = ticket;
      while (enter()) {
        const id = words[${word.module}];
        const known = modules.get(id);
        const address = words[${word.address}] >>> 0;
        const bytes = known ? null : new Uint8Array(memory.buffer).slice(address, address + words[${word.length}]);
        try {
          if (known) work(known);
        } catch (error) {
          Atomics.store(words, ${word.failed}, 1);
          throw error;
        } finally {
          leave();
        }
        if (known) break;
        load(id, bytes);
      }
    }
  } finally {
    Atomics.sub(words, ${word.ready}, 1);
  }
};
`;

/** In Node and Deno a worker's program finds what it is given; in browsers it comes as a message. */
export const nodeWorker = `${workerSource}start(process.getBuiltinModule("node:worker_threads").workerData);`;
export const webWorker = `${workerSource}onmessage = ({ data }) => start(data);`;
