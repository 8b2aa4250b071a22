/**
 * Devices by name, the default device, and the evaluator over them. The embedded `cpu` device exists from the start, so
 * that importing the package and computing needs no `await`.
 */
import type { Aval } from "../core/aval.ts";
import type { Evaluator, Executable } from "../core/evaluator.ts";
import type { HostArray } from "../core/hostArray.ts";
import type { Jaxpr } from "../core/jaxpr.ts";
import { Literal, type NDArray } from "../core/ndarray.ts";
import { DeviceError, unreachable } from "../core/problem.ts";
import { Aval as AvalClass } from "../core/aval.ts";
import { DeviceArray } from "./array.ts";
import type { Buffer, Device } from "./device.ts";
import { referenceDevice } from "./reference/device.ts";
import { literalHost } from "./reference/program.ts";

let cpu: Device | null = null;
let chosen: Device | null = null;

const cpuDevice = (): Device =>
  (cpu ??= referenceDevice(0, {
    toArray: (x) => new DeviceArray(cpuDevice(), new AvalClass(x.shape, x.dtype), x),
    fromArray: (x) => toHost(x),
  }));

/** The device that computations run on. */
export const currentDevice = (): Device => chosen ?? cpuDevice();

/** What users see of a device. */
export interface DeviceInfo {
  readonly kind: string;
  readonly id: number;
  toString(): string;
}

const info = (d: Device): DeviceInfo => ({ kind: d.kind, id: d.id, toString: () => `${d.kind}:${d.id}` });

/**
 * The devices there are.
 *
 * @example
 * devices().map(String) // ["cpu:0"]
 */
export function devices(platform?: string): DeviceInfo[] {
  return platform === undefined || platform === "cpu" ? [info(cpuDevice())] : fail(platform);
}

/** The default device; with an argument, chooses it. */
export function defaultDevice(device?: string | DeviceInfo): DeviceInfo {
  if (device !== undefined) chosen = find(device);
  return info(currentDevice());
}

function find(device: string | DeviceInfo): Device {
  const name = typeof device === "string" ? device : device.kind;
  return name === "cpu" || name === "cpu:0" ? cpuDevice() : fail(name);
}

function fail(name: string): never {
  throw new DeviceError("UnknownDevice", {
    what: `there is no device ${JSON.stringify(name)}`,
    why: "the devices of this version are: cpu",
    fix: 'use defaultDevice("cpu"), or leave the choice out',
  });
}

/** Makes devices ready that need time to start. The embedded device needs none. */
export const init = (): Promise<DeviceInfo> => Promise.resolve(info(currentDevice()));

const bufferOf = (x: NDArray, device: Device): Buffer => {
  if (x instanceof DeviceArray) return x.buffer;
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
    const buffers = device.evaluate(primitive, inputs, params, outs);
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

  materialize: (x) => new DeviceArray(currentDevice(), x.aval, currentDevice().put(literalHost(x))),
  fromHost: (x, weakType) =>
    new DeviceArray(currentDevice(), new AvalClass(x.shape, x.dtype, weakType), currentDevice().put(x)),
  toHost,
  read: readHost,
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
