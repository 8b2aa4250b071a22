/**
 * The libraries that draw: optional peers of the package, loaded when something is drawn. Vega draws SVG without a page, in
 * every runtime and without native code.
 */
import { DeviceError } from "../core/problem.ts";

interface VegaView {
  toSVG(scale?: number): Promise<string>;
  finalize(): void;
}
/** What is used of the package `vega`. */
interface Vega {
  parse(spec: unknown): unknown;
  readonly View: new (runtime: unknown, options: { readonly renderer: string }) => VegaView;
}
/** What is used of the package `vega-lite`. */
interface VegaLite {
  compile(spec: unknown): { readonly spec: unknown };
}
/** Loads a package that need not be there. */
export async function load<T>(name: string, all: string): Promise<T> {
  try {
    // A variable, so that bundlers do not look for the package.
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as T;
  } catch (cause) {
    throw missing(name, all, cause);
  }
}

const missing = (name: string, all: string, cause: unknown): DeviceError =>
  new DeviceError("MissingPackage", {
    what: `the package ${name} could not be loaded: ${cause instanceof Error ? cause.message.split("\n")[0]! : String(cause)}`,
    why: "drawing is left to libraries that programs without notebooks do not need, so they are not installed with cotangent",
    fix: `npm install ${all}, or in Deno: deno add ${all
      .split(" ")
      .map((p) => `npm:${p}`)
      .join(" ")}`,
  });

/** The SVG of a Vega-Lite specification. */
export async function svgOf(spec: unknown): Promise<string> {
  const all = "vega vega-lite";
  const [vega, vegaLite] = await Promise.all([load<Vega>("vega", all), load<VegaLite>("vega-lite", all)]);
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
