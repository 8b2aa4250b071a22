/**
 * A library in the race: how it is loaded, how a workload is made ready in it, and how it says that a result is there.
 * Inputs are in place and programs compiled before the time is taken; results are computed, but not copied out.
 */
import type { Numbers, Workload } from "./workload.ts";

export interface Library {
  readonly name: string;
  readonly version: string;
  /** What of the machine it uses here, where it says so. */
  readonly features: string;
  /** The workload, ready to run; null where the library has no program for it. */
  readonly prepare: (w: Workload) => Promise<Runner> | null;
}

export interface Runner {
  /** Computes once, waits until the result is there, and frees it. */
  readonly run: () => unknown;
  /** The outputs of the first computation. Called once, before `run`. */
  readonly outputs: () => Promise<Numbers[]>;
  readonly dispose: () => void;
}

export const listOf = <T>(x: T | readonly T[]): readonly T[] => (Array.isArray(x) ? x : [x as T]);
