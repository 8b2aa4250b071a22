/** The only place that writes to the console unasked: each distinct warning once. */
const seen = new Set<string>();

/** Prints `message` unless a warning with the same `key` has been printed before. */
export function warnOnce(key: string, message: string): void {
  if (seen.has(key)) return;
  seen.add(key);
  if (typeof console !== "undefined") console.warn(`cotangent: ${message}`);
}

/** Forgets what has been printed; for tests. */
export const forgetWarnings = (): void => seen.clear();
