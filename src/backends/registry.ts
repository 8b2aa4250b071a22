/**
 * Devices by name, the default device, and the evaluator over them. The embedded devices exist from the start, so that
 * importing the package and computing needs no `await`: `wasm`, the default, and `cpu`, the reference. `webgpu` is there
 * once `init()` has found one; its code is loaded by then and not before.
 */
import type { Aval } from "../core/aval.ts";
import { jupyterDisplay, rendered } from "../core/display.ts";
import type { CompileOptions, Evaluator, Executable } from "../core/evaluator.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { Jaxpr } from "../core/jaxpr.ts";
import { Literal, type NDArray } from "../core/ndarray.ts";
import { ArgumentError, DeviceError, unreachable } from "../core/problem.ts";
import { warnOnce } from "../core/warn.ts";
import { Aval as AvalClass } from "../core/aval.ts";
import type { ReferenceContext } from "../core/primitive.ts";
import { DeviceArray } from "./array.ts";
import type { Buffer, Device, DeviceDetails, DeviceMemoryInfo } from "./device.ts";
import { referenceDevice, referencePrograms } from "./reference/device.ts";
import { literalHost } from "./reference/program.ts";
import { inspectProgram } from "./inspect.ts";
import { type WasmDevice, wasmDevice } from "./wasm/device.ts";
import { hasSimd } from "./wasm/features.ts";
import type { ThreadOptions } from "./wasm/pool.ts";

/** What reference slots and callbacks need, with arrays on a device. */
function contextOn(device: () => Device): ReferenceContext {
  const context: ReferenceContext = {
    program: (jaxpr) => programs(jaxpr),
    toArray: (x) => new DeviceArray(device(), new AvalClass(x.shape, x.dtype), device().put(x)),
    fromArray: (x) => toHost(x),
  };
  const programs = referencePrograms(context);
  return context;
}

const made = new Map<string, Device>();
let wasm: WasmDevice | null = null;
const makers: Readonly<Record<string, () => Device>> = {
  wasm: () =>
    (wasm = wasmDevice(
      0,
      contextOn(() => embedded("wasm")),
    )),
  cpu: () =>
    referenceDevice(
      0,
      contextOn(() => embedded("cpu")),
    ),
};
function embedded(name: string): Device {
  let device = made.get(name);
  if (!device) made.set(name, (device = makers[name]!()));
  return device;
}

/** What the program asked for; otherwise the environment's or the best there is. */
let chosen: Device | null = null;
let best: Device | null = null;

const wantedName = (): string | undefined =>
  (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.["COTANGENT_DEVICE"];

/** The device named by the environment, or else the embedded one. */
function firstDevice(): Device {
  const name = wantedName();
  if (name) return find(name);
  if (hasSimd()) return embedded("wasm");
  warnOnce("simd", "computing on the device cpu, slowly: this engine has no WebAssembly SIMD");
  return embedded("cpu");
}

/** The device that computations run on. */
export const currentDevice = (): Device => chosen ?? (best ??= firstDevice());

/** What users see of a device. */
export interface DeviceInfo {
  readonly kind: string;
  readonly id: number;
  toString(): string;
}

const names = /* @__PURE__ */ new WeakMap<Device, string>();
function nameOf(d: Device): string {
  let name = names.get(d);
  if (name === undefined) names.set(d, (name = `${d.kind}:${d.id}`));
  return name;
}
const info = (d: Device): DeviceInfo => withText({ kind: d.kind, id: d.id }, nameOf(d));
/** An object that shows its fields when it is printed, and a text when it is made a string or in a notebook. */
const withText = <T extends object>(fields: T, text: string): T =>
  Object.defineProperties(fields, {
    toString: { value: () => text },
    [jupyterDisplay]: { value: () => rendered(fields, () => ({ "text/plain": text })) },
  });

/** Every kind of device, those that are there and those that may come. */
const kinds = ["wasm", "webgpu", "cpu"] as const;
const isThere = (kind: string): boolean => Object.hasOwn(makers, kind) || made.has(kind);

/**
 * The devices there are, the default one first. `webgpu` is among them once `await init()` has found one.
 *
 * @example
 * devices().map(String) // ["wasm:0", "cpu:0"]
 */
export function devices(platform?: string): DeviceInfo[] {
  if (platform !== undefined && !kinds.some((k) => k === platform)) fail(platform);
  if (platform !== undefined) return [info(find(platform))];
  const first = currentDevice();
  return [first, ...kinds.filter((k) => k !== first.kind && isThere(k)).map((k) => find(k))].map(info);
}

/** The default device; with an argument, chooses it. */
export function defaultDevice(device?: string | DeviceInfo): DeviceInfo {
  if (device !== undefined) chosen = find(device);
  return info(currentDevice());
}

function find(device: string | DeviceInfo): Device {
  const name = typeof device === "string" ? device : device.kind;
  const kind = name.replace(/:0$/, "");
  const known = made.get(kind);
  if (known) return known;
  if (kind === "webgpu") throw notStarted();
  return Object.hasOwn(makers, kind) ? embedded(kind) : fail(name);
}

function fail(name: string): never {
  throw new DeviceError("UnknownDevice", {
    what: `there is no device ${JSON.stringify(name)}`,
    why: `the devices of this version are: ${kinds.join(", ")}`,
    fix: 'use defaultDevice("wasm"), or leave the choice out',
  });
}

const notStarted = (): DeviceError =>
  new DeviceError("DeviceNotStarted", {
    what: "the device webgpu has not been started",
    why: "getting a GPU takes time, so it is done once, before anything is computed there",
    fix: 'await init("webgpu") at the start of the program; the embedded devices, "wasm" and "cpu", need no waiting',
  });

/** What a device's memory holds, in bytes. */
export interface MemoryInfo extends DeviceMemoryInfo {
  readonly device: string;
  toString(): string;
}

/**
 * The memory that a device holds for arrays: live and peak bytes, what was taken from the machine, and the number of
 * allocations. Memory of arrays that nobody can reach any more counts until the collector has run, which takes an `await`.
 *
 * @example
 * memoryInfo().device // "wasm:0"
 */
export function memoryInfo(device?: string | DeviceInfo): MemoryInfo {
  const d = device === undefined ? currentDevice() : find(device);
  const name = nameOf(d);
  const { live, peak, capacity, count } = d.memory();
  const inMebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const text = `${name}: ${inMebibytes(live)} live in ${count} allocations, ${inMebibytes(peak)} at peak, ${inMebibytes(capacity)} taken from the machine`;
  return withText({ device: name, live, peak, capacity, count }, text);
}

/** What a device computes with. */
export interface DeviceReport extends DeviceDetails {
  readonly device: string;
  toString(): string;
}

/**
 * What a device computes with: its threads, and why there are not more of them; what the engine can do.
 *
 * Threads are started when there is much to compute, and until then a wasm device runs on one. They need memory that is
 * shared, which browsers have on pages that are cross-origin isolated.
 *
 * @example
 * deviceInfo().threads.running // 1
 */
export function deviceInfo(device?: string | DeviceInfo): DeviceReport {
  const d = device === undefined ? currentDevice() : find(device);
  const { threads, features } = d.details();
  const names = Object.keys(features).filter((name) => features[name]);
  const { running, wanted, why } = threads;
  const text = `${nameOf(d)}: ${running} of ${wanted} threads${why === null ? "" : ` (${why})`}${names.length > 0 ? `, ${names.join(", ")}` : ""}`;
  return withText({ device: nameOf(d), threads, features }, text);
}

export interface InitOptions extends ThreadOptions {
  /** The GPU object to use, instead of the runtime's own and of the package `webgpu`. */
  readonly gpu?: GPU;
  /**
   * Computes matrix products on the wasm device with 256-bit vectors, which makes them up to twice as fast. It turns on an
   * experimental feature of V8 for the whole process (Node from version 24 on), and warns if that has no effect;
   * `deviceInfo().features.wideVectors` tells. Programs that are compiled before do not use them.
   */
  readonly wideVectors?: boolean;
}

let starting: Promise<Device> | null = null;

/**
 * Gets a GPU ready, if there is one, and chooses the default device: a real GPU if there is one, else the embedded device.
 * An adapter that only imitates a GPU on the processor is chosen when it is asked for, here or by COTANGENT_DEVICE=webgpu;
 * then it is an error, with every reason, if there is none.
 *
 * @example
 * await init();
 * np.ones([2]).add(1) // [2, 2]
 */
export async function init(device?: string, options: InitOptions = {}): Promise<DeviceInfo> {
  if (options.threads !== undefined || options.worker) chooseThreads(options);
  if (options.wideVectors) widenVectors();
  const wanted = device ?? wantedName();
  const isWebgpu = wanted?.replace(/:0$/, "") === "webgpu";
  if (wanted !== undefined && !isWebgpu) chosen = find(wanted);
  else {
    const { requestWebgpu, noWebgpu, webgpuDevice } = await import("./webgpu/device.ts");
    starting ??= (async () => {
      const found = await requestWebgpu(options.gpu)();
      if (found._tag === "Left") throw noWebgpu(found.left);
      const gpu = webgpuDevice(0, found.right, {
        // What callbacks are given, and compute, must be readable at once.
        context: contextOn(() => embedded("wasm")),
        callHost: (f) => withDevice(embedded("wasm"), f),
        bufferHere: (x, home) => (x instanceof DeviceArray && x.home === home ? x.buffer : null),
      });
      if (!found.right.isSoftware) best = gpu;
      made.set("webgpu", gpu);
      return gpu;
    })();
    try {
      const gpu = await starting;
      if (isWebgpu) chosen = gpu;
    } catch (error) {
      starting = null;
      if (isWebgpu || !(error instanceof DeviceError)) throw error;
    }
  }
  return info(currentDevice());
}

function chooseThreads(options: ThreadOptions): void {
  embedded("wasm");
  const { threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    throw new ArgumentError("Threads", {
      what: `init: threads is ${String(threads)}`,
      why: "it is the number of threads that compute, the calling one included",
      fix: "pass a whole number, 1 at least, or leave it out for one thread a processor",
    });
  if (!wasm!.configure(options))
    throw new DeviceError("ThreadsStarted", {
      what: "init: the wasm device has started its threads already",
      why: "their number is chosen once, before much was computed",
      fix: 'await init("wasm", { threads }) at the start of the program',
    });
}

function widenVectors(): void {
  embedded("wasm");
  const why = wasm!.widenVectors();
  if (why !== null) warnOnce("wideVectors", `no wide vectors: ${why}`);
}

/** What `explain` evaluates equations with. */
export const explainContext = (): ReferenceContext => contextOn(() => embedded("wasm"));

/** The array that `make` makes or has, on a device. Traced values are nowhere yet. */
export function putOn(device: string | DeviceInfo | undefined, make: () => NDArray): NDArray {
  const home = device === undefined ? currentDevice() : find(device);
  const x = withDevice(home, make);
  const stays = x instanceof DeviceArray ? device === undefined || x.home === home : !(x instanceof Literal);
  return stays ? x : new DeviceArray(home, x.aval, bufferOf(x, home));
}

function withDevice<T>(device: Device, f: () => T): T {
  const before = chosen;
  chosen = device;
  try {
    return f();
  } finally {
    chosen = before;
  }
}

function bufferOf(x: NDArray, device: Device): Buffer {
  if (x instanceof Literal) return literalBuffer(x, device);
  if (!(x instanceof DeviceArray)) return unreachable(`${x.describe()} has no buffer`);
  if (x.home === device) return x.buffer;
  if (!x.home.readsSynchronously) throw elsewhere(x, device);
  return device.put(x.home.readSync(x.buffer));
}

/** Buffers of numbers met before. Nobody disposes of them: they are no array's. */
const literalBuffers = /* @__PURE__ */ new WeakMap<Device, Map<Aval, Map<number, Buffer>>>();
/** Numbers that are remembered for an aval; when there are more, all are forgotten. */
const mostLiterals = 64;

function literalBuffer(x: Literal, device: Device): Buffer {
  // Memory of a GPU is given back by its owner alone. A negative zero is no key of its own.
  if (!device.readsSynchronously || Object.is(x.value, -0)) return device.put(literalHost(x));
  let avals = literalBuffers.get(device);
  if (!avals) literalBuffers.set(device, (avals = new Map()));
  let known = avals.get(x.aval);
  if (!known) {
    if (avals.size >= mostLiterals) avals.clear();
    avals.set(x.aval, (known = new Map()));
  }
  let buffer = known.get(x.value);
  if (buffer === undefined) {
    if (known.size >= mostLiterals) known.clear();
    known.set(x.value, (buffer = device.put(literalHost(x))));
  }
  return buffer;
}

const elsewhere = (x: DeviceArray, device: Device): DeviceError =>
  new DeviceError("OnAnotherDevice", {
    what: `a ${String(x.aval)} on ${x.home.kind} meets an operation on ${device.kind}`,
    why: "arrays go to a GPU by themselves, but not back: their values can only be waited for",
    fix: `compute on the GPU, defaultDevice("webgpu"); or bring the values here, devicePut(await x.data(), "${device.kind}").reshape(x.shape)`,
  });

/** The values of a concrete array; not to be mutated. */
export function toHost(x: NDArray): HostArray {
  if (x instanceof DeviceArray) return x.home.readSync(x.buffer);
  if (x instanceof Literal) return literalHost(x);
  return unreachable(`${x.describe()} has no values`);
}

/** The values of a concrete array, waiting for the device if need be. */
export const readHost = (x: NDArray): Promise<HostArray> =>
  x instanceof DeviceArray ? x.home.read(x.buffer) : Promise.resolve(toHost(x));

function compiledFor(device: Device, jaxpr: Jaxpr, options: CompileOptions): Executable {
  const executable = device.compile(jaxpr, options);
  const { outAvals } = executable;
  return {
    run(args) {
      const inputs = new Array<Buffer>(args.length);
      for (let i = 0; i < args.length; i++) inputs[i] = bufferOf(args[i]!, device);
      const buffers = executable.run(inputs);
      const arrays = new Array<NDArray>(buffers.length);
      for (let i = 0; i < buffers.length; i++) arrays[i] = new DeviceArray(device, outAvals[i]!, buffers[i]);
      return arrays;
    },
  };
}

export const deviceEvaluator: Evaluator = {
  evaluate(primitive, args, params) {
    const device = currentDevice();
    const inputs = new Array<Buffer>(args.length);
    const avals = new Array<Aval>(args.length);
    for (let i = 0; i < args.length; i++) {
      inputs[i] = bufferOf(args[i]!, device);
      avals[i] = args[i]!.aval;
    }
    const outs = primitive.infer(avals, params);
    const buffers = device.evaluate(primitive, inputs, params, outs, avals);
    const arrays = new Array<NDArray>(outs.length);
    for (let i = 0; i < outs.length; i++) arrays[i] = new DeviceArray(device, outs[i]!, buffers[i]);
    return arrays;
  },

  compile(jaxpr: Jaxpr, options): Executable {
    if (options.device !== null) return compiledFor(find(options.device), jaxpr, options);
    // The default device may be another one by the time of a call.
    let device = currentDevice();
    let executable = compiledFor(device, jaxpr, options);
    const compiled = new Map([[device, executable]]);
    return {
      run(args) {
        const now = currentDevice();
        if (now !== device) {
          executable = compiled.get(now) ?? compiledFor(now, jaxpr, options);
          compiled.set((device = now), executable);
        }
        return executable.run(args);
      },
    };
  },

  inspect: (jaxpr, options) =>
    inspectProgram(jaxpr, options, options.device === null ? currentDevice() : find(options.device), toHost),

  materialize: (x) => new DeviceArray(currentDevice(), x.aval, currentDevice().put(literalHost(x))),
  fromHost: (x, weakType) =>
    new DeviceArray(currentDevice(), new AvalClass(x.shape, x.dtype, weakType), currentDevice().put(x)),
  toHost,
  read: readHost,
  ready: (x) => (x instanceof DeviceArray ? x.home.ready(x.buffer) : Promise.resolve()),
  deviceOf(x) {
    const device = x instanceof DeviceArray ? x.home : currentDevice();
    return nameOf(device);
  },
  currentDevice: () => nameOf(currentDevice()),
  dispose(x) {
    if (x instanceof DeviceArray) x.giveUp("disposed");
  },
  donate(x) {
    if (x instanceof DeviceArray) x.giveUp("donated");
  },
  hasNaN(x) {
    const { data } = toHost(x);
    for (let i = 0; i < data.length; i++) if (Number.isNaN(data[i])) return true;
    return false;
  },
};
