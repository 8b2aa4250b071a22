/**
 * Fates: whether the work that made a value succeeded. Work is enqueued before earlier work is known to have succeeded, so
 * a fate waits for everything it depends on. A failure reaches whatever was computed from it, with the first cause; once
 * all is well nothing is remembered.
 */
import type { DeviceError } from "../../core/problem.ts";

export class Fate {
  /** The first cause, if it failed. */
  failure: DeviceError | null = null;
  /** What is still to be known; the maker's own hold counts one. */
  #open = 1;
  #dependents: Fate[] = [];
  #waiting: (() => void)[] = [];
  readonly #onSettled: ((fate: Fate) => void) | undefined;

  constructor(onSettled?: (fate: Fate) => void) {
    this.#onSettled = onSettled;
  }

  get isSettled(): boolean {
    return this.#open === 0;
  }
  /** One more thing to wait for; `close` answers it. */
  open(): void {
    this.#open++;
  }
  close(): void {
    // Not by recursion: a loop may have made a chain of many thousands.
    const closing: Fate[] = [this];
    for (let fate = closing.pop(); fate; fate = closing.pop()) {
      if (--fate.#open > 0) continue;
      for (const d of fate.#dependents) if (fate.failure) d.fail(fate.failure);
      closing.push(...fate.#dependents);
      for (const f of fate.#waiting) f();
      fate.#dependents = [];
      fate.#waiting = [];
      fate.#onSettled?.(fate);
    }
  }
  fail(failure: DeviceError): void {
    this.failure ??= failure;
  }
  /** Fails if the other does. */
  dependOn(cause: Fate): void {
    if (cause.failure) this.fail(cause.failure);
    if (cause.isSettled) return;
    this.open();
    cause.#dependents.push(this);
  }
  settled(): Promise<void> {
    return this.isSettled ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
