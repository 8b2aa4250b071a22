export declare const relativeTolerance: number;
export declare const absoluteTolerance: number;

export interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: string | readonly string[];
  readonly data?: Readonly<Record<string, string | readonly string[]>>;
  readonly ename?: string;
  readonly evalue?: string;
}
export interface Cell {
  readonly cell_type: string;
  readonly source: string | readonly string[];
  readonly metadata?: { readonly tags?: readonly string[] };
  readonly outputs?: readonly Output[];
}
export interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: Readonly<Record<string, unknown>>;
}
/** A cell that shows something else than before. */
export interface Difference {
  /** Number of the code cell, from 1. */
  readonly cell: number;
  readonly source: string;
  readonly old: string;
  readonly now: string;
}
/** Whether two texts say the same, but for rounding, times and what is in pictures. */
export declare function isSameText(a: string, b: string): boolean;
/** Where two executions of the same notebook differ. */
export declare function differences(committed: Notebook, executed: Notebook): Difference[];
/** Where the same notebook under another kernel differs, in what both kernels show alike. */
export declare function differencesAcrossKernels(committed: Notebook, executed: Notebook): Difference[];
