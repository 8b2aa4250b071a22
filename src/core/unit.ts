/**
 * Units: functions of the library that consist of several primitives run as one program when they are called eagerly, so
 * that a call costs one launch and not one for each primitive. Under a trace, or where single operations are looked at
 * (`debugNans`, `debugInfs`, `debugKeyReuse`, `disableJit`), a unit is the plain function; no jaxpr shows it.
 *
 * A program belongs to a device and a form of call: the avals of arrays, and everything else by value. What has no form
 * (functions, lists where an array is expected, traced values) and what needs values to decide shapes runs primitive by
 * primitive, as does everything on the reference device. So does the first call in a form on a GPU, and anywhere else once a
 * function was called in a new form time and again.
 */
import { type Aval, avalsEqual } from "./aval.ts";
import { flattenResult } from "./call.ts";
import { type Executable, evaluator } from "./evaluator.ts";
import { hoistConsts } from "./jaxpr.ts";
import { watchesOperations } from "./modes.ts";
import { NDArray } from "./ndarray.ts";
import { withLiterals } from "./operands.ts";
import { withoutSources } from "./source.ts";
import { traceToJaxpr } from "./staging.ts";
import { Tracer, currentTrace, evalTrace } from "./trace.ts";
import { type TreeDef, unflatten } from "./tree.ts";

type Callable = (...args: never[]) => unknown;

/** In place of an array of a call. */
class Slot {
  readonly aval: Aval;
  constructor(aval: Aval) {
    this.aval = aval;
  }
}
interface Form {
  /** The arguments with slots for arrays. */
  readonly args: readonly unknown[];
  /** Null where the function does not go as a program. */
  readonly program: Program | null;
}
interface Program {
  readonly executable: Executable;
  readonly consts: readonly NDArray[];
  readonly outDef: TreeDef;
}

/** Forms that are kept for a function. */
const mostForms = 64;
/** A GPU's driver compiles for so long that a program does not pay for one call. */
const patienceOn = (device: string): number => (device.startsWith("webgpu") ? 0 : 16);

/** What calls of a function on one device have shown. */
interface Known {
  forms: Form[];
  /** Calls in a row that were new. */
  news: number;
  /** New calls in a row from which on a form has to come twice to be worth a program. */
  readonly patience: number;
  /** The forms that came once since. */
  once: (readonly unknown[])[];
}

export interface UnitOptions {
  /**
   * What a number is that stands for an operand: known, so that the program is made for it, or an input like an array. Inputs
   * are for functions that treat all numbers alike, and first of all promote their operands.
   */
  readonly numbers?: "known" | "inputs";
}

/**
 * Makes a function run as one program when it is called eagerly.
 *
 * @param operands number of leading parameters that are arrays: plain lists there have no form.
 */
export function unit<F extends Callable>(
  name: string,
  operands: number,
  f: F,
  { numbers = "known" }: UnitOptions = {},
): F {
  const devices = new Map<string, Known>();
  const plain = f as unknown as (...args: unknown[]) => unknown;
  const find = (known: Known, args: readonly unknown[], arrays: NDArray[]): Form | null => {
    const { forms } = known;
    for (let i = 0; i < forms.length; i++) {
      const form = forms[i]!;
      arrays.length = 0;
      if (!fits(form.args, args, arrays)) continue;
      // Most calls look like the one before.
      if (i > 0) known.forms = [form, ...forms.filter((other) => other !== form)];
      known.news = 0;
      return form;
    }
    return null;
  };
  const add = (known: Known, args: readonly unknown[], arrays: NDArray[]): Form | null => {
    arrays.length = 0;
    if (args.slice(0, operands).some(isPlainList)) return null;
    const again = known.once.find((form) => fits(form, args, []));
    const template = formOf(args, arrays) as readonly unknown[] | null;
    if (template === null || arrays.length === 0) return null;
    if (!again && known.news >= known.patience) {
      known.once = [template, ...known.once.slice(0, mostForms - 1)];
      return null;
    }
    known.once = known.once.filter((form) => form !== again);
    known.news++;
    const form = { args: template, program: programOf(plain, name, template, arrays) };
    known.forms = [form, ...known.forms.slice(0, mostForms - 1)];
    return form;
  };
  const call = (...args: unknown[]): unknown => {
    if (currentTrace() !== evalTrace || watchesOperations()) return plain(...args);
    const device = evaluator().currentDevice();
    if (device.startsWith("cpu")) return plain(...args);
    let known = devices.get(device);
    if (!known) devices.set(device, (known = { forms: [], news: 0, patience: patienceOn(device), once: [] }));
    const arrays: NDArray[] = [];
    const form = numbers === "inputs" ? withLiterals(args, operands) : args;
    const program = (find(known, form, arrays) ?? add(known, form, arrays))?.program;
    if (!program) return plain(...args);
    const { executable, consts, outDef } = program;
    const outs = executable.run(consts.length > 0 ? [...consts, ...arrays] : arrays);
    return outDef.kind === "leaf" ? outs[0] : unflatten(outDef, outs);
  };
  Object.defineProperty(call, "name", { value: name, configurable: true });
  return call as unknown as F;
}

/** A list that is not one of arrays. */
const isPlainList = (x: unknown): boolean => Array.isArray(x) && !x.every((y) => y instanceof NDArray);

/** Whether something is of a form; its arrays are added to a list. */
function fits(form: unknown, x: unknown, arrays: NDArray[]): boolean {
  if (x instanceof NDArray) {
    if (!(form instanceof Slot) || !avalsEqual(form.aval, x.aval)) return false;
    arrays.push(x);
    return true;
  }
  if (typeof x !== "object" || x === null) return Object.is(form, x);
  if (Array.isArray(x))
    return Array.isArray(form) && form.length === x.length && x.every((y, i) => fits(form[i], y, arrays));
  if (!isPlain(form) || !isPlain(x)) return false;
  const keys = Object.keys(x);
  return keys.length === Object.keys(form).length && keys.every((k) => k in form && fits(form[k], x[k], arrays));
}

/** The form of something, with its arrays added to a list; null if it has none. */
function formOf(x: unknown, arrays: NDArray[]): unknown {
  if (x instanceof NDArray) {
    if (x instanceof Tracer) return null;
    arrays.push(x);
    return new Slot(x.aval);
  }
  if (x === null) return none;
  if (typeof x === "function" || typeof x === "symbol") return null;
  if (typeof x !== "object") return x;
  if (Array.isArray(x)) {
    const forms = x.map((y) => formOf(y, arrays));
    return forms.includes(null) ? null : forms.map(unwrapped);
  }
  if (!isPlain(x)) return null;
  const entries = Object.entries(x).map(([k, y]) => [k, formOf(y, arrays)] as const);
  return entries.some(([, y]) => y === null)
    ? null
    : Object.fromEntries(entries.map(([k, y]) => [k, unwrapped(y)] as const));
}
/** The form of null, which by itself says that there is no form. */
const none = Symbol("null");
const unwrapped = (x: unknown): unknown => (x === none ? null : x);

const isPlain = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === "object" && x !== null && Object.getPrototypeOf(x) === Object.prototype;

function programOf(f: (...args: unknown[]) => unknown, name: string, form: unknown, arrays: NDArray[]): Program | null {
  let outDef!: TreeDef;
  try {
    const { jaxpr, consts } = withoutSources(() =>
      traceToJaxpr(
        (...xs) => {
          let next = 0;
          const filled = (x: unknown): unknown =>
            x instanceof Slot
              ? xs[next++]!
              : Array.isArray(x)
                ? x.map(filled)
                : isPlain(x)
                  ? Object.fromEntries(Object.entries(x).map(([k, y]) => [k, filled(y)]))
                  : x;
          const flat = flattenResult(f(...(filled(form) as unknown[])), name, f);
          outDef = flat.def;
          return flat.leaves;
        },
        arrays.map((x) => x.aval),
        name,
      ),
    );
    const options = { name, donated: [], device: null };
    return { executable: evaluator().compile(hoistConsts(jaxpr), options), consts, outDef };
  } catch {
    // Whatever is wrong, the plain function says it better; or it needs values.
    return null;
  }
}
