/**
 * The seam to notebooks: what a value shows in a cell. Values have the method `Symbol.for("Jupyter.display")`, which asks
 * here; the renderer, which is large, is there once `cotangent/notebook` has been imported (`notebook/install.ts`), and
 * without it values show their text, so that programs outside of notebooks carry a few lines and no more.
 */

/** One value in several forms, by MIME type; a frontend shows the richest it knows. Images are base64. */
export type MimeBundle = Readonly<Record<string, string>>;

/** The method by which Jupyter kernels for JavaScript, such as Deno's, ask a value how it looks. */
export const jupyterDisplay: symbol = /* @__PURE__ */ Symbol.for("Jupyter.display");

type Renderer = (x: object) => MimeBundle | Promise<MimeBundle>;
let installed: Renderer | null = null;

export function installRenderer(renderer: Renderer): void {
  installed = renderer;
}

/** What a value shows: what the renderer makes of it, or what `plain` gives if there is none. */
export const rendered = (x: object, plain: () => MimeBundle | Promise<MimeBundle>): MimeBundle | Promise<MimeBundle> =>
  installed ? installed(x) : plain();
