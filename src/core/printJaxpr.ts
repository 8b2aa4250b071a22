/**
 * Jaxprs as text, in JAX's notation:
 *
 *     { lambda a:f32[3]; b:f32[3]. let
 *         c:f32[3] = mul b 2.0
 *         d:f32[] = reduce_sum[axes=[0]] c
 *       in (d,) }
 */
import { type Aval, shortAval } from "./aval.ts";
import { isFloat } from "./dtype.ts";
import { type Atom, type Eqn, type Jaxpr, Var } from "./jaxpr.ts";
import { Literal } from "./ndarray.ts";

/** a, b, …, z, ba, bb, … in order of first appearance. */
class Names {
  readonly #names = new Map<Var, string>();
  of(v: Var): string {
    const known = this.#names.get(v);
    if (known) return known;
    let n = this.#names.size;
    let name = "";
    do {
      name = String.fromCharCode(97 + (n % 26)) + name;
      n = Math.floor(n / 26);
    } while (n > 0);
    this.#names.set(v, name);
    return name;
  }
}

/** A number as jaxprs print it: floats keep a decimal point. */
export function literalText(x: Literal): string {
  if (x.dtype === "bool") return x.value ? "True" : "False";
  const { value } = x;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return isFloat(x.dtype) && /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const isJaxpr = (x: unknown): x is Jaxpr => typeof x === "object" && x !== null && "eqns" in x && "inVars" in x;

const indent = (text: string, by: string): string => text.replace(/\n/g, `\n${by}`);

function paramText(value: unknown): string {
  if (isJaxpr(value)) return printJaxpr(value);
  if (typeof value === "function") return value.name || "<function>";
  if (Array.isArray(value)) {
    const items = value.map(paramText);
    return value.some(isJaxpr)
      ? `(\n    ${indent(items.join("\n"), "    ")}\n  )`
      : `(${items.join(", ")}${items.length === 1 ? "," : ""})`;
  }
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === null) return "None";
  if (typeof value === "object") {
    if (
      value.constructor !== Object &&
      typeof value.toString === "function" &&
      value.toString !== Object.prototype.toString
    )
      return (value as { toString(): string }).toString();
    return `{${Object.entries(value)
      .map(([k, v]) => `${k}: ${paramText(v)}`)
      .join(", ")}}`;
  }
  return String(value);
}

function paramsText(eqn: Eqn): string {
  const params = (eqn.primitive.printParams?.(eqn.params) ?? eqn.params ?? {}) as Record<string, unknown>;
  const entries = Object.entries(params).filter(([, v]) => v !== undefined);
  if (entries.length === 0) return "";
  const parts = entries.map(([k, v]) => `${k}=${paramText(v)}`);
  const flat = parts.join(" ");
  return flat.includes("\n") || flat.length > 100 ? `[\n  ${indent(parts.join("\n"), "  ")}\n]` : `[${flat}]`;
}

const typed = (names: Names, v: Var): string => `${names.of(v)}:${shortAval(v.aval)}`;

function eqnText(eqn: Eqn, names: Names, used: ReadonlySet<Var>): string {
  const atoms = eqn.inputs.map((a) => atomText(a, names)).join(" ");
  const outs = eqn.outputs.map((v) => (used.has(v) ? typed(names, v) : `_:${shortAval(v.aval)}`)).join(" ");
  const right = `${eqn.primitive.name}${paramsText(eqn)}${atoms && ` ${atoms}`}`;
  return outs ? `${outs} = ${right}` : right;
}

const atomText = (a: Atom, names: Names): string =>
  a instanceof Literal
    ? a.ndim === 0
      ? `${literalText(a)}:${shortAval(a.aval)}`
      : `${literalText(a)}:${shortAval(a.aval)}`
    : names.of(a);

/** The whole jaxpr as text. Stable: the same program prints the same way. */
export function printJaxpr(jaxpr: Jaxpr): string {
  const names = new Names();
  const used = new Set<Var>();
  for (const e of jaxpr.eqns) for (const a of e.inputs) if (a instanceof Var) used.add(a);
  for (const a of jaxpr.outs) if (a instanceof Var) used.add(a);
  const consts = jaxpr.constVars.map((v) => typed(names, v)).join(" ");
  const ins = jaxpr.inVars.map((v) => typed(names, v)).join(" ");
  const lines = jaxpr.eqns.map((e) => indent(eqnText(e, names, used), "    "));
  const outs = jaxpr.outs.map((a) => atomText(a, names)).join(", ");
  const body = lines.length ? `\n    ${lines.join("\n    ")}\n ` : "";
  return `{ lambda ${consts && `${consts} `}; ${ins}. let${body} in (${outs}${jaxpr.outs.length === 1 ? "," : ""}) }`;
}

/** One equation on its own, for messages. */
export const printEqn = (eqn: Eqn): string => eqnText(eqn, new Names(), new Set(eqn.outputs));

/** The types of a list of avals. */
export const avalsText = (avals: readonly Aval[]): string => avals.map(String).join(", ");
