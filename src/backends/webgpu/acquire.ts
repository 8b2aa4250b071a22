/**
 * Getting a device. Candidates in a written order: a GPU object that the caller gives, the runtime's own `navigator.gpu`
 * (browsers, Deno), the optional package `webgpu` (Node). Each is asked for its fast adapter, then any, then the software
 * one, and a device must pass `selfCheck` to be taken. Every reason for failing is kept.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { DeviceError } from "../../core/problem.ts";
import { descriptorFor } from "./limits.ts";
import { isSoftwareAdapter, keepAlive } from "./quirks.ts";
import { selfCheck } from "./selfCheck.ts";

/** Why a candidate was not taken. */
export interface DeviceProblem {
  /** For example `navigator.gpu, high-performance`. */
  readonly candidate: string;
  readonly reason: string;
}

export interface AcquiredGpu {
  readonly device: GPUDevice;
  /** The candidate it came from. */
  readonly candidate: string;
  /** The adapter's name, as far as it tells. */
  readonly name: string;
  /** Whether it computes on the CPU: right, but no faster than other devices there. */
  readonly isSoftware: boolean;
  /** Whether kernels must decide comparisons of NaN on its bits. */
  readonly guardComparisons: boolean;
}

interface Source {
  readonly name: string;
  /** Throws a reason where there is none. */
  readonly gpu: () => Promise<GPU>;
}

const options: readonly { readonly name: string; readonly request: GPURequestAdapterOptions }[] = [
  { name: "high-performance", request: { powerPreference: "high-performance" } },
  { name: "default", request: {} },
  { name: "fallback", request: { forceFallbackAdapter: true } },
];
const SECONDS_TO_ANSWER = 20;

/** The first device that works, or all reasons why none does. */
export function requestWebgpu(injected?: GPU): TE.TaskEither<readonly DeviceProblem[], AcquiredGpu> {
  const none: TE.TaskEither<readonly DeviceProblem[], AcquiredGpu> = TE.left([]);
  return sources(injected).reduce(
    (before, source) =>
      pipe(
        before,
        TE.orElse((problems) =>
          pipe(
            fromSource(source),
            TE.mapLeft((more) => [...problems, ...more]),
          ),
        ),
      ),
    none,
  );
}

/** The error for a user who asked for WebGPU. */
export const noWebgpu = (problems: readonly DeviceProblem[]): DeviceError =>
  new DeviceError("NoWebgpu", {
    what: `no WebGPU device could be started\n${problems.map((p) => `    ${p.candidate}: ${p.reason}`).join("\n")}`,
    why: "WebGPU needs a driver that the runtime can reach: a browser with WebGPU, Deno, or Node with the package webgpu",
    fix: "in Node `npm install webgpu`; in Linux without a GPU install a software Vulkan driver; or stay with the default device",
  });

function sources(injected?: GPU): readonly Source[] {
  const given: readonly Source[] = injected ? [{ name: "given GPU", gpu: () => Promise.resolve(injected) }] : [];
  const own: Source = {
    name: "navigator.gpu",
    gpu: async () => {
      const { navigator } = globalThis as { navigator?: { gpu?: GPU } };
      if (!navigator?.gpu) throw new Error("this runtime has none");
      return navigator.gpu;
    },
  };
  return [...given, own, { name: "package webgpu", gpu: fromPackage }];
}

let dawn: Promise<GPU> | null = null;
/** Dawn for Node. An optional peer dependency: 130 MB that nobody should get unasked. */
function fromPackage(): Promise<GPU> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (process?.versions?.node === undefined) return Promise.reject(new Error("only in Node"));
  dawn ??= (async () => {
    // A variable, so that bundlers do not look for the package.
    const name = "webgpu";
    const { create } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
      create(options: readonly string[]): GPU;
    };
    return keepAlive(create([]));
  })();
  return dawn;
}

function fromSource(source: Source): TE.TaskEither<readonly DeviceProblem[], AcquiredGpu> {
  const problem = (name: string, reason: unknown): readonly DeviceProblem[] => [
    { candidate: name, reason: reason instanceof Error ? reason.message : String(reason) },
  ];
  return pipe(
    TE.tryCatch(source.gpu, (reason) => problem(source.name, reason)),
    TE.chain((gpu) =>
      options.reduce<TE.TaskEither<readonly DeviceProblem[], AcquiredGpu>>((before, { name, request }) => {
        const candidate = `${source.name}, ${name}`;
        const attempt = TE.tryCatch(
          () => inTime(fromAdapter(gpu, request, candidate)),
          (reason) => problem(candidate, reason),
        );
        return pipe(
          before,
          TE.orElse((problems) =>
            pipe(
              attempt,
              TE.mapLeft((more) => [...problems, ...more]),
            ),
          ),
        );
      }, TE.left([])),
    ),
  );
}

async function fromAdapter(gpu: GPU, request: GPURequestAdapterOptions, candidate: string): Promise<AcquiredGpu> {
  const adapter = await gpu.requestAdapter(request);
  if (!adapter) throw new Error("no adapter");
  const { vendor, architecture, description, device: chip } = adapter.info;
  const name = description || [vendor, architecture, chip].filter(Boolean).join(" ") || "unnamed adapter";
  const isSoftware = isSoftwareAdapter(adapter);
  const device = await adapter.requestDevice(descriptorFor(adapter));
  const problem = await selfCheck(device, false);
  if (problem === null) return { device, candidate, name, isSoftware, guardComparisons: false };
  if ((await selfCheck(device, true)) === null) return { device, candidate, name, isSoftware, guardComparisons: true };
  device.destroy();
  throw new Error(`${name}: ${problem}`);
}

/** A driver that hangs must not hang the program. */
function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const reason = new Error(`no answer within ${SECONDS_TO_ANSWER} seconds`);
    const timer = setTimeout(() => reject(reason), SECONDS_TO_ANSWER * 1000);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
