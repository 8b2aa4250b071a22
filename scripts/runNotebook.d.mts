import type { Difference, Notebook } from "./compareNotebooks.mjs";

export type Kernel = "deno" | "tslab";
/** Names of all notebooks, without the extension, in order. */
export declare function notebookNames(): string[];
export declare function readNotebook(name: string): Notebook;
/** The kernels that a notebook is for, the one whose outputs are committed first. */
export declare function kernelsOf(notebook: Notebook): Kernel[];
/** Whether a notebook takes too long for every run of the tests. */
export declare function isSlow(notebook: Notebook): boolean;
/** Runs a notebook; gives it with its outputs. An error of a cell is an error here. */
export declare function runNotebook(notebook: Notebook, kernel: Kernel): Promise<Notebook>;
/** Runs a notebook and compares it with what is committed; one that differs gets further attempts. */
export declare function checkNotebook(
  committed: Notebook,
  kernel: Kernel,
): Promise<{ readonly executed: Notebook; readonly found: Difference[] }>;
