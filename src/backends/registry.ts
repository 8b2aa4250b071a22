/**
 * Devices by name, the default device, and the evaluator over them. The embedded devices exist from the start, so that
 * importing the package and computing needs no `await`: `wasm`, the default, and `cpu`, the reference.
 */
import type { Aval } from "../core/aval.ts";
import type { Evaluator, Executable } from "../core/evaluator.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { Jaxpr } from "../core/jaxpr.ts";
import { Literal, type NDArray } from "../core/ndarray.ts";
import { DeviceError, unreachable } from "../core/problem.ts";
import { Aval as AvalClass } from "../core/aval.ts";
import type { ReferenceContext } from "../core/primitive.ts";
import { DeviceArray } from "./array.ts";
import type { Buffer, Device, DeviceMemoryInfo } from "./device.ts";
import { referenceDevice, referencePrograms } from "./reference/device.ts";
import { literalHost } from "./reference/program.ts";
import { inspectProgram } from "./inspect.ts";
import { wasmDevice } from "./wasm/device.ts";

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
const makers: Readonly<Record<string, () => Device>> = {
  wasm: () =>
    wasmDevice(
      0,
      contextOn(() => embedded("wasm")),
    ),
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

let chosen: Device | null = null;

/** The device named by the environment, or else the embedded one. */
function firstDevice(): Device {
  const name = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[
    "COTANGENT_DEVICE"
  ];
  return name ? find(name) : embedded("wasm");
}

/** The device that computations run on. */
export const currentDevice = (): Device => (chosen ??= firstDevice());

/** What users see of a device. */
export interface DeviceInfo {
  readonly kind: string;
  readonly id: number;
  toString(): string;
}

const info = (d: Device): DeviceInfo => ({ kind: d.kind, id: d.id, toString: () => `${d.kind}:${d.id}` });

/**
 * The devices there are, the default one's kind first.
 *
 * @example
 * devices().map(String) // ["wasm:0", "cpu:0"]
 */
export function devices(platform?: string): DeviceInfo[] {
  const all = Object.keys(makers);
  if (platform !== undefined && !all.includes(platform)) fail(platform);
  return all.filter((name) => platform === undefined || platform === name).map((name) => info(embedded(name)));
}

/** The default device; with an argument, chooses it. */
export function defaultDevice(device?: string | DeviceInfo): DeviceInfo {
  if (device !== undefined) chosen = find(device);
  return info(currentDevice());
}

function find(device: string | DeviceInfo): Device {
  const name = typeof device === "string" ? device : device.kind;
  const kind = name.replace(/:0$/, "");
  return Object.hasOwn(makers, kind) ? embedded(kind) : fail(name);
}

function fail(name: string): never {
  throw new DeviceError("UnknownDevice", {
    what: `there is no device ${JSON.stringify(name)}`,
    why: `the devices of this version are: ${Object.keys(makers).join(", ")}`,
    fix: 'use defaultDevice("wasm"), or leave the choice out',
  });
}

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
  const name = `${d.kind}:${d.id}`;
  const { live, peak, capacity, count } = d.memory();
  const inMebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return {
    device: name,
    live,
    peak,
    capacity,
    count,
    toString: () =>
      `${name}: ${inMebibytes(live)} live in ${count} allocations, ${inMebibytes(peak)} at peak, ${inMebibytes(capacity)} taken from the machine`,
  };
}

/** Makes devices ready that need time to start. The embedded devices need none. */
export const init = (): Promise<DeviceInfo> => Promise.resolve(info(currentDevice()));

const bufferOf = (x: NDArray, device: Device): Buffer => {
  if (x instanceof DeviceArray) return x.home === device ? x.buffer : device.put(x.home.readSync(x.buffer));
  if (x instanceof Literal) return device.put(literalHost(x));
  return unreachable(`${x.describe()} has no buffer`);
};

/** The values of a concrete array; not to be mutated. */
export function toHost(x: NDArray): HostArray {
  if (x instanceof DeviceArray) return x.home.readSync(x.buffer);
  if (x instanceof Literal) return literalHost(x);
  return unreachable(`${x.describe()} has no values`);
}

/** The values of a concrete array, waiting for the device if need be. */
export const readHost = (x: NDArray): Promise<HostArray> =>
  x instanceof DeviceArray ? x.home.read(x.buffer) : Promise.resolve(toHost(x));

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
    const device = options.device === null ? currentDevice() : find(options.device);
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
    return `${device.kind}:${device.id}`;
  },
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
