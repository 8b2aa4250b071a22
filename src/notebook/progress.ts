/** Progress of a long loop, as one display that is rewritten. */
import { checkOptions } from "../core/call.ts";
import type { MimeBundle } from "../core/display.ts";
import { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { Tracer } from "../core/trace.ts";
import { type Slot, frontend } from "./frontend.ts";
import { duration, escape, shortNumber } from "./html.ts";

export interface ProgressOptions {
  /** What is going on. */
  readonly label?: string;
  /** Milliseconds between two writes. Default 200. */
  readonly everyMilliseconds?: number;
}

/** Values shown beside the bar: numbers, texts, scalars that can be read at once. */
export type ProgressValues = Readonly<Record<string, unknown>>;

/** A bar that grows; see `progress`. */
export class Progress {
  readonly #total: number;
  readonly #options: Required<ProgressOptions>;
  readonly #slot: Slot;
  readonly #start = performance.now();
  #written = -Infinity;
  #done = 0;
  #values: ProgressValues = {};
  #closed: Promise<void> | null = null;

  constructor(total: number, options: Required<ProgressOptions>, slot: Slot) {
    this.#total = total;
    this.#options = options;
    this.#slot = slot;
  }

  /**
   * Says that `done` rounds are behind. Values are looked at only when something is written, so an array costs nothing
   * in between. At `total` the last line is written.
   */
  update(done: number, values: ProgressValues = {}): void {
    if (this.#closed) return;
    this.#done = done;
    this.#values = values;
    if (done >= this.#total) return void this.finish();
    const now = performance.now();
    if (now - this.#written < this.#options.everyMilliseconds) return;
    this.#written = now;
    this.#slot.write(this.#bundle());
  }

  /** Writes the last line, if that has not happened; done when the frontend has it. */
  finish(): Promise<void> {
    return (this.#closed ??= this.#slot.close(this.#bundle()));
  }

  #bundle(): MimeBundle {
    const { label } = this.#options;
    const elapsed = performance.now() - this.#start;
    const remaining =
      this.#done > 0 && this.#done < this.#total ? (elapsed / this.#done) * (this.#total - this.#done) : 0;
    const facts = [
      `${this.#done}/${this.#total}`,
      ...Object.entries(this.#values).map(([name, x]) => `${name} ${valueText(x)}`),
      duration(elapsed) + (remaining > 0 ? `, ${duration(remaining)} to go` : ""),
    ];
    const text = [...(label ? [label] : []), ...facts].join(" · ");
    const bar = `<progress value="${this.#done}" max="${this.#total}"></progress>`;
    return { "text/plain": text, "text/html": `<div>${bar} <code>${escape(text)}</code></div>` };
  }
}

/** A value in few characters. Arrays that cannot be read at once show what they are. */
function valueText(x: unknown): string {
  try {
    const value = x instanceof NDArray && !(x instanceof Tracer) && x.size === 1 ? x.item() : x;
    return typeof value === "number" ? shortNumber(value) : String(value);
  } catch {
    return x instanceof NDArray ? x.describe() : Object.prototype.toString.call(x);
  }
}

/**
 * Shows how far a loop is: a bar in a cell of a notebook, a line in a terminal, and into a file the last line alone. It
 * writes at most every 200 ms, and never throws because nobody looks.
 *
 * Kernels send what is written when a cell yields: a loop without an `await` shows its last state only.
 *
 * @param total the number of rounds.
 * @throws ArgumentError if `total` is no positive number.
 * @example
 * const bar = progress(3, { label: "training" });
 * for (let i = 0; i < 3; i++) bar.update(i + 1, { loss: 1 / (i + 1) });
 */
export function progress(total: number, options: ProgressOptions = {}): Progress {
  checkOptions("progress", options, ["label", "everyMilliseconds"]);
  if (!(total > 0 && Number.isFinite(total)))
    throw new ArgumentError("ProgressTotal", {
      what: `progress: the total is ${String(total)}`,
      why: "the bar shows a share of it",
      fix: "pass the number of rounds, 1 at least",
    });
  const { label = "", everyMilliseconds = 200 } = options;
  return new Progress(total, { label, everyMilliseconds }, frontend().open());
}
