/** `config` and its kin: the switches of `debug` and the default device under JAX's names. */
import { type DeviceInfo, currentDevice, defaultDevice, devices } from "../backends/registry.ts";
import type { ArrayLike } from "../core/arrayMethods.ts";
import type { Aval } from "../core/aval.ts";
import { modes } from "../core/modes.ts";
import { asArray } from "../core/operands.ts";
import { ArgumentError } from "../core/problem.ts";
import { warnOnce } from "../core/warn.ts";
import type { Switch } from "../debug/modes.ts";

const settings = {
  debugNans: /* @__PURE__ */ flag("debugNans"),
  debugInfs: /* @__PURE__ */ flag("debugInfs"),
  disableJit: /* @__PURE__ */ flag("disableJit"),
  debugKeyReuse: /* @__PURE__ */ flag("debugKeyReuse"),
  explainCacheMisses: /* @__PURE__ */ flag("explainRetraces"),
  defaultDevice: {
    get: (): DeviceInfo => defaultDevice(),
    set: (x: unknown): void => void defaultDevice(x as DeviceInfo),
  },
  enableX64: { get: () => false, set: (x: unknown): void => enableX64(Boolean(x)) },
};
type Setting = keyof typeof settings;

type Flag = "debugNans" | "debugInfs" | "disableJit" | "debugKeyReuse" | "explainRetraces";
function flag(mode: Flag): { get: () => boolean; set: (x: unknown) => void } {
  const set = (x: unknown): void => {
    if (typeof x !== "boolean")
      throw new ArgumentError("ConfigValue", {
        what: `config.update: the value ${String(x)} is not a boolean`,
        why: "this setting is on or off",
        fix: "pass true or false",
      });
    modes[mode] = x;
  };
  return { get: () => modes[mode], set };
}

/** `jax_debug_nans`, `debug_nans` and `debugNans` are the same. */
function settingOf(name: string): Setting {
  const camel = name.replace(/^jax_/, "").replace(/_(\w)/g, (_, c: string) => c.toUpperCase());
  if (Object.hasOwn(settings, camel)) return camel as Setting;
  throw new ArgumentError("UnknownSetting", {
    what: `config: there is no setting ${JSON.stringify(name)}`,
    why: "only some of JAX's settings mean something here",
    fix: `use one of ${Object.keys(settings).join(", ")}; JAX's spelling, jax_debug_nans, works too`,
  });
}

export interface Config {
  /**
   * Changes a setting for the whole program.
   *
   * @param name as in JAX, `jax_debug_nans`, or in this library's spelling, `debugNans`.
   */
  update(name: string, value: unknown): void;
  /** The value of a setting. */
  read(name: string): unknown;
  readonly debugNans: boolean;
  readonly debugInfs: boolean;
  readonly disableJit: boolean;
  readonly debugKeyReuse: boolean;
  readonly explainCacheMisses: boolean;
  readonly defaultDevice: DeviceInfo;
  /** Always false: see `enableX64`. */
  readonly enableX64: boolean;
}

/**
 * Settings of the whole program.
 *
 * @example
 * config.update("jax_debug_nans", true);
 * const on = config.debugNans;
 * config.update("jax_debug_nans", false);
 * on // true
 */
export const config: Config = {
  update: (name, value) => settings[settingOf(name)].set(value),
  read: (name) => settings[settingOf(name)].get(),
  get debugNans() {
    return settings.debugNans.get();
  },
  get debugInfs() {
    return settings.debugInfs.get();
  },
  get disableJit() {
    return settings.disableJit.get();
  },
  get debugKeyReuse() {
    return settings.debugKeyReuse.get();
  },
  get explainCacheMisses() {
    return settings.explainCacheMisses.get();
  },
  get defaultDevice() {
    return settings.defaultDevice.get();
  },
  get enableX64() {
    return settings.enableX64.get();
  },
};

/**
 * In JAX: whether 64-bit dtypes exist, and are the default. Here float64 exists without a switch, on devices that have it
 * (`wasm`, `cpu`), and only where it is asked for; the default stays float32, and there are no 64-bit integers. So this
 * changes nothing: turning it on says so once, and runs the body if there is one.
 */
export const enableX64: Switch = <T>(x: boolean | (() => T), body?: () => T): T => {
  if (x !== false)
    warnOnce(
      "enableX64",
      'enableX64 changes no defaults: float64 needs no switch, ask for it where it is wanted, for example np.array([1, 2], { dtype: "float64" })',
    );
  const run = typeof x === "function" ? x : body;
  return run ? run() : (undefined as T);
};

/**
 * Shape, dtype and weakness of an array, also of a traced one.
 *
 * @example
 * String(typeof_(np.ones([2, 3]))) // "float32[2,3]"
 */
export const typeof_ = (x: ArrayLike): Aval => asArray(x, "typeof_").aval;

/** The kind of the default device: `wasm`, `webgpu` or `cpu`. */
export const defaultBackend = (): string => currentDevice().kind;

/** How many devices there are, or how many of one kind. @example deviceCount("wasm") // 1 */
export const deviceCount = (backend?: string): number => devices(backend).length;
