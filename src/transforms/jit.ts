/**
 * `jit`: traces a function once per signature and runs the compiled program from then on.
 *
 * A signature is the structure and avals of the arguments, the values of static ones, and the named axes in scope. The
 * cache belongs to the function (weakly), not to the wrapper: `jit(f)` twice shares it. Under another trace the call
 * becomes one `jit` equation. Arrays that the function closed over are hidden arguments of the program.
 */
import { type Aval } from "../core/aval.ts";
import {
  type CostAnalysis,
  type Executable,
  type Inspection,
  type MemoryAnalysis,
  evaluator,
} from "../core/evaluator.ts";
import { type Jaxpr, hoistConsts } from "../core/jaxpr.ts";
import { keepSources } from "../core/keptSources.ts";
import { consumeKey, wasConsumed } from "../core/keyReuse.ts";
import { modes, watchesResults } from "../core/modes.ts";
import { reportNaNs } from "../core/nans.ts";
import { NDArray } from "../core/ndarray.ts";
import { printJaxpr } from "../core/printJaxpr.ts";
import { ArgumentError } from "../core/problem.ts";
import { userFrame } from "../core/source.ts";
import { traceToJaxpr } from "../core/staging.ts";
import { type NamedAxis, Tracer, bind, currentTrace, evalTrace, namedAxes } from "../core/trace.ts";
import { type TreeDef, flatten, flattenMatching, structurallyEqual, unflatten } from "../core/tree.ts";
import {
  type AnyFunction,
  argumentPath,
  checkCallable,
  checkOptions,
  flattenResult,
  leafArray,
  nameOf,
} from "../core/call.ts";
import { argumentNumber } from "./gradient.ts";
import { jitP } from "./jitPrimitive.ts";
import { RetraceLog, explainMiss } from "./retrace.ts";
import type { Arrays } from "../core/types.ts";

export interface JitOptions {
  /** Arguments that are part of the program: compared by value (functions by identity), never traced. */
  readonly staticArgnums?: number | readonly number[];
  /** Fields of a trailing options object that are static. */
  readonly staticArgnames?: string | readonly string[];
  /** Arguments whose memory the results may take over; they cannot be used afterwards. */
  readonly donateArgnums?: number | readonly number[];
  /** Fields of a trailing options object that are donated. */
  readonly donateArgnames?: string | readonly string[];
  /** Keep arguments that the program does not use. Accepted for JAX's sake: unused arguments cost nothing here. */
  readonly keepUnused?: boolean;
  /** Inline the call where it is part of another jitted function. */
  readonly inline?: boolean;
  /** The device to run on, by name. */
  readonly device?: string;
}
const jitOptions = [
  "staticArgnums",
  "staticArgnames",
  "donateArgnums",
  "donateArgnames",
  "keepUnused",
  "inline",
  "device",
] as const;

/** The stages of a traced function. */
export interface Lowered {
  /**
   * The program as text after a stage: `jaxpr` as traced, `simplified`, `fusion` (which equations share a kernel), `loops`,
   * `buffers` (launches and where arrays live), and the device's code, `wasm` or `wgsl`.
   */
  asText(stage?: "jaxpr" | "simplified" | "fusion" | "loops" | "buffers" | "wasm" | "wgsl"): string;
  /** Float operations, bytes moved and kernels launched. */
  costAnalysis(): CostAnalysis;
  /** Bytes of arguments, results and temporaries. */
  memoryAnalysis(): MemoryAnalysis;
  compile(): { call(...args: unknown[]): unknown };
  readonly jaxpr: Jaxpr;
}

export interface Jitted<A extends readonly unknown[], R> {
  (...args: A): R;
  /** The number of signatures traced so far. */
  cacheSize(): number;
  /** Forgets all signatures. */
  clearCache(): void;
  /** Traces for these arguments without running. */
  lower(...args: A): Lowered;
  /** Why the last trace happened: the component of the signature that differs from the nearest one before. */
  explainRetraces(): string;
}

/** What was traced for one signature. */
interface Entry {
  readonly name: string;
  /** Structures of the arguments with static parts taken out, and the static parts. */
  readonly defs: readonly TreeDef[];
  readonly statics: readonly unknown[];
  readonly avals: readonly Aval[];
  readonly axes: readonly NamedAxis[];
  /** Takes the captured arrays first. */
  readonly jaxpr: Jaxpr;
  readonly consts: readonly NDArray[];
  readonly outDef: TreeDef;
  readonly donated: readonly boolean[];
  /** Leaves that are PRNG keys and are consumed by the function. */
  readonly consumedKeys: readonly number[];
  executable: Executable | null;
}

interface Settings {
  readonly staticNums: readonly number[];
  readonly staticNames: readonly string[];
  readonly donateNums: readonly number[];
  readonly donateNames: readonly string[];
  readonly inline: boolean;
  readonly device: string | null;
}

const list = <T>(x: T | readonly T[] | undefined): readonly T[] =>
  x === undefined ? [] : Array.isArray(x) ? (x as readonly T[]) : [x as T];

/** Entries of one function under one set of options, most recent first. */
class Cache {
  entries: Entry[] = [];
  readonly log = new RetraceLog();
}

const caches = new WeakMap<AnyFunction, Map<string, Cache>>();

function cacheOf(f: AnyFunction, settings: Settings): Cache {
  let byOptions = caches.get(f);
  if (!byOptions) caches.set(f, (byOptions = new Map()));
  const key = JSON.stringify(settings);
  let cache = byOptions.get(key);
  if (!cache) byOptions.set(key, (cache = new Cache()));
  return cache;
}

/**
 * Compiles a function of arrays. The first call with a new signature traces it; later calls run the program.
 *
 * @param f pure and synchronous; it sees tracers, so it cannot branch on values (`lax.cond`, `numpy.where`).
 * @example
 * const f = jit((x) => np.sum(np.square(x)));
 * f(np.array([1, 2])) // 5
 */
export function jit<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: JitOptions = {},
): Jitted<A, Arrays<R>> {
  checkCallable("jit", f);
  checkOptions("jit", options, jitOptions);
  const settings: Settings = {
    staticNums: list(options.staticArgnums),
    staticNames: list(options.staticArgnames),
    donateNums: list(options.donateArgnums),
    donateNames: list(options.donateArgnames),
    inline: options.inline ?? false,
    device: options.device ?? null,
  };
  const fn = f as unknown as AnyFunction;
  const jitted = new JittedFunction(fn, settings);
  const call = (...args: unknown[]): unknown => jitted.call(args);
  Object.defineProperty(call, "name", { value: nameOf(f), configurable: true });
  return Object.assign(call, {
    cacheSize: () => jitted.cache.entries.length,
    clearCache: () => void (jitted.cache.entries = []),
    lower: (...args: unknown[]) => jitted.lower(args),
    explainRetraces: () => jitted.cache.log.text(nameOf(f)),
  }) as unknown as Jitted<A, Arrays<R>>;
}

class JittedFunction {
  readonly f: AnyFunction;
  readonly settings: Settings;
  readonly cache: Cache;
  readonly #hasStatics: boolean;
  constructor(f: AnyFunction, settings: Settings) {
    this.f = f;
    this.settings = settings;
    this.cache = cacheOf(f, settings);
    this.#hasStatics = settings.staticNums.length > 0 || settings.staticNames.length > 0;
  }

  call(args: readonly unknown[]): unknown {
    if (modes.disableJit) return this.f(...args);
    const leaves: unknown[] = [];
    const entry = this.#find(args, leaves) ?? this.#miss(args, leaves);
    for (const i of entry.consumedKeys) consumeKey(leaves[i] as NDArray);
    return this.#run(entry, leaves as NDArray[]);
  }

  #run(entry: Entry, leaves: readonly NDArray[]): unknown {
    let outs: readonly NDArray[];
    if (currentTrace() === evalTrace && !watchesResults()) {
      entry.executable ??= evaluator().compile(entry.jaxpr, {
        name: entry.name,
        donated: entry.donated.length ? [...entry.consts.map(() => false), ...entry.donated] : [],
        device: this.settings.device,
      });
      outs = entry.executable.run(entry.consts.length ? [...entry.consts, ...leaves] : leaves);
      if (entry.donated.length > 0) this.#donate(entry, leaves);
    } else {
      const params = { jaxpr: entry.jaxpr, name: entry.name, inline: this.settings.inline };
      outs = reportNaNs(
        () => bind(jitP, [...entry.consts, ...leaves], params),
        (ys) => ys,
      );
    }
    return entry.outDef.kind === "leaf" ? outs[0] : unflatten(entry.outDef, outs);
  }

  #donate(entry: Entry, leaves: readonly NDArray[]): void {
    leaves.forEach((x, i) => {
      if (entry.donated[i]) evaluator().donate(x);
    });
  }

  /** The entry for these arguments, if there is one; its leaves are left in `leaves`. */
  #find(args: readonly unknown[], leaves: unknown[]): Entry | null {
    const { entries } = this.cache;
    for (let i = 0; i < entries.length; i++) {
      leaves.length = 0;
      const entry = entries[i]!;
      if (this.#matches(entry, args, leaves)) {
        if (i > 0) {
          entries.splice(i, 1);
          entries.unshift(entry);
        }
        return entry;
      }
    }
    return null;
  }

  #matches(entry: Entry, args: readonly unknown[], leaves: unknown[]): boolean {
    if (entry.defs.length !== args.length || !sameAxes(entry.axes)) return false;
    if (this.#hasStatics) {
      const split = this.#split(args);
      if (!structurallyEqual(split.statics, entry.statics)) return false;
      args = split.dynamic;
    }
    for (let i = 0; i < args.length; i++) if (!flattenMatching(entry.defs[i]!, args[i], leaves)) return false;
    const { avals, consts } = entry;
    for (let i = 0; i < avals.length; i++) if (!leafMatches(leaves, i, avals[i]!)) return false;
    // Captured tracers of a finished trace: the function has to be traced again in its new surroundings.
    for (let i = 0; i < consts.length; i++)
      if (consts[i] instanceof Tracer && !(consts[i] as Tracer).home.live) return false;
    return true;
  }

  /** Takes static arguments and fields out. */
  #split(args: readonly unknown[]): { dynamic: unknown[]; statics: unknown[] } {
    const { staticNums, staticNames } = this.settings;
    const dynamic = [...args];
    const statics: unknown[] = [];
    for (const n of staticNums) {
      const at = argumentNumber(n, args.length, "jit", this.f);
      if (dynamic[at] instanceof NDArray) throw staticArray(at, this.f);
      statics.push(dynamic[at]);
      dynamic[at] = undefined;
    }
    const last = dynamic[dynamic.length - 1];
    if (
      staticNames.length > 0 &&
      typeof last === "object" &&
      last !== null &&
      !(last instanceof NDArray) &&
      !Array.isArray(last)
    ) {
      const rest = { ...(last as Record<string, unknown>) };
      for (const k of staticNames) {
        statics.push(rest[k]);
        delete rest[k];
      }
      dynamic[dynamic.length - 1] = rest;
    }
    return { dynamic, statics };
  }

  /** Traces for a new signature. */
  #miss(args: readonly unknown[], leaves: unknown[]): Entry {
    leaves.length = 0;
    const { dynamic, statics } = this.#split(args);
    const defs = dynamic.map((a, i) => {
      const [found, def] = flatten(a);
      const paths = def.paths();
      found.forEach((x, k) =>
        leaves.push(leafArray(x, () => argumentPath([{ kind: "index", index: i }, ...paths[k]!]), "jit")),
      );
      return def;
    });
    const avals = (leaves as NDArray[]).map((x) => x.aval);
    const name = nameOf(this.f);
    this.cache.log.record(
      this.cache.entries.length === 0
        ? null
        : explainMiss(this.cache.entries, { defs, statics, avals, axes: namedAxes() }),
      name,
      String(this.f),
      userFrame,
    );
    const { jaxpr, consts, outDef, consumedKeys } = this.#trace(name, defs, statics, avals);
    const entry: Entry = {
      name,
      defs,
      statics,
      avals,
      axes: namedAxes(),
      jaxpr: hoistConsts(jaxpr),
      consts,
      outDef,
      donated: this.#donatedLeaves(args, defs),
      consumedKeys,
      executable: null,
    };
    this.cache.entries.unshift(entry);
    keepSources(entry.jaxpr);
    return entry;
  }

  /**
   * Apart from `#miss`, because equations remember where they were written as stacks until somebody asks, and stacks keep
   * alive what their functions see: this one sees no array of the first call.
   */
  #trace(
    name: string,
    defs: readonly TreeDef[],
    statics: readonly unknown[],
    avals: readonly Aval[],
  ): Pick<Entry, "jaxpr" | "consts" | "outDef" | "consumedKeys"> {
    let outDef!: TreeDef;
    let consumedKeys: number[] = [];
    const { jaxpr, consts } = traceToJaxpr(
      (...xs) => {
        const flat = flattenResult(this.f(...this.#rebuild(defs, statics, xs)), "jit", this.f);
        outDef = flat.def;
        consumedKeys = xs.flatMap((x, i) => (wasConsumed(x) ? [i] : []));
        return flat.leaves;
      },
      avals,
      `jit(${name})`,
    );
    return { jaxpr, consts, outDef, consumedKeys };
  }

  /** The arguments as the user's function sees them: tracers for leaves, static parts as `#split` took them out. */
  #rebuild(defs: readonly TreeDef[], statics: readonly unknown[], xs: readonly NDArray[]): unknown[] {
    const { staticNums, staticNames } = this.settings;
    let next = 0;
    const out = defs.map((d) => unflatten(d, xs.slice(next, (next += d.numLeaves))));
    staticNums.forEach((n, i) => (out[n < 0 ? n + defs.length : n] = statics[i]));
    statics.slice(staticNums.length).forEach((value, i) => {
      if (value !== undefined) (out.at(-1) as Record<string, unknown>)[staticNames[i]!] = value;
    });
    return out;
  }

  #donatedLeaves(args: readonly unknown[], defs: readonly TreeDef[]): boolean[] {
    const { donateNums, donateNames } = this.settings;
    if (donateNums.length === 0 && donateNames.length === 0) return [];
    const nums = new Set(donateNums.map((n) => argumentNumber(n, args.length, "jit", this.f)));
    return defs.flatMap((d, i) =>
      d.paths().map((path) => {
        const [first] = path;
        return nums.has(i) || (i === defs.length - 1 && first?.kind === "key" && donateNames.includes(first.key));
      }),
    );
  }

  lower(args: readonly unknown[]): Lowered {
    const leaves: unknown[] = [];
    const entry = this.#find(args, leaves) ?? this.#miss(args, leaves);
    let inspection: Inspection | null = null;
    const inspect = (): Inspection =>
      (inspection ??= evaluator().inspect(entry.jaxpr, {
        name: entry.name,
        donated: [...entry.consts.map(() => false), ...entry.donated],
        device: this.settings.device,
      }));
    return {
      jaxpr: withConsts(entry),
      asText: (stage = "jaxpr") => {
        if (stage === "jaxpr") return printJaxpr(withConsts(entry));
        const { stages, text } = inspect();
        if (!stages.includes(stage)) throw unknownStage(stage, ["jaxpr", ...stages]);
        return text(stage);
      },
      costAnalysis: () => inspect().costAnalysis(),
      memoryAnalysis: () => inspect().memoryAnalysis(),
      compile: () => ({ call: (...xs: unknown[]) => this.call(xs) }),
    };
  }
}

const unknownStage = (stage: string, stages: readonly string[]): ArgumentError =>
  new ArgumentError("UnknownStage", {
    what: `lower().asText: there is no stage ${JSON.stringify(stage)}`,
    why: `the stages of a program on this device are: ${stages.join(", ")}`,
    fix: `use asText(${JSON.stringify(stages[0])})`,
  });

/** The traced jaxpr, with the captured arrays as constants again. */
const withConsts = ({ jaxpr, consts }: Entry): Jaxpr => ({
  ...jaxpr,
  constVars: jaxpr.inVars.slice(0, consts.length),
  inVars: jaxpr.inVars.slice(consts.length),
});

/** Whether leaf `i` fits an aval; numbers and other array-likes are converted in place when they do. */
function leafMatches(leaves: unknown[], i: number, aval: Aval): boolean {
  const x = leaves[i];
  if (x instanceof NDArray) {
    const a = x.aval;
    if (a === aval) return true;
    const { shape } = a;
    if (a.dtype !== aval.dtype || a.weakType !== aval.weakType || shape.length !== aval.shape.length) return false;
    for (let k = 0; k < shape.length; k++) if (shape[k] !== aval.shape[k]) return false;
    return true;
  }
  const array = leafArray(x, () => `leaf ${i}`, "jit");
  leaves[i] = array;
  return leafMatches(leaves, i, aval);
}

function sameAxes(axes: readonly NamedAxis[]): boolean {
  const now = namedAxes();
  if (now === axes) return true;
  return now.length === axes.length && now.every((a, i) => a.name === axes[i]!.name && a.size === axes[i]!.size);
}

const staticArray = (at: number, f: AnyFunction): ArgumentError =>
  new ArgumentError("StaticArray", {
    what: `jit: argument ${at} of ${nameOf(f)} is declared static, but is an array`,
    why: "static arguments are part of the program and compared by value; arrays are data",
    fix: "remove it from staticArgnums, or pass plain numbers, strings or lists",
  });
