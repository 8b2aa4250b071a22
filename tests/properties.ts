/**
 * Property tests, configured in one place.
 *
 * COTANGENT_TEST_RUNS multiplies the number of runs of every property. COTANGENT_TEST_SEED chooses the seed, "random" a
 * new one; without it runs repeat exactly. A failure prints the seed and the path that reproduce it.
 */
import { env } from "node:process";
import fc from "fast-check";

const factor = Number(env["COTANGENT_TEST_RUNS"] ?? 1);
const given = env["COTANGENT_TEST_SEED"];
const seed = given === "random" ? (Math.random() * 0x7fffffff) | 0 : Number(given ?? 20260801);

/** The number of runs for a property that makes do with `n`. */
export const runs = (n: number): number => Math.max(1, Math.round(n * factor));

/** Checks a property on `n` (times COTANGENT_TEST_RUNS) random inputs. */
export const check = <T extends [unknown, ...unknown[]]>(n: number, property: fc.IProperty<T>): void =>
  fc.assert(property, { numRuns: runs(n), seed, includeErrorInReport: true });

/** The same, written inline: `holds(50, [fc.integer(), fc.integer()], (a, b) => …)`. */
export const holds = <T extends [unknown, ...unknown[]]>(
  n: number,
  inputs: { [K in keyof T]: fc.Arbitrary<T[K]> },
  body: (...values: T) => boolean | void,
): void => check(n, fc.property(...inputs, body));

/** The same, of what has to be waited for. */
export const holdsAsync = <T extends [unknown, ...unknown[]]>(
  n: number,
  inputs: { [K in keyof T]: fc.Arbitrary<T[K]> },
  body: (...values: T) => Promise<boolean | void>,
): Promise<void> =>
  fc.assert(fc.asyncProperty(...inputs, body), { numRuns: runs(n), seed, includeErrorInReport: true });
