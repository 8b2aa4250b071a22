/** Timing for the benchmarks: warm up, then the median of several rounds, so that a noisy neighbour does not decide. */

export interface Measurement {
  readonly name: string;
  /** Median, minimum and maximum of the rounds, in microseconds per call. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

const ROUNDS = 15;
const ROUND_MILLISECONDS = 30;

/** Microseconds per call of `f`. */
export function measure(name: string, f: () => void): Measurement {
  const started = performance.now();
  let calls = 0;
  // Warm up for at least 200 ms, which also tells how many calls fill a round.
  while (performance.now() - started < 200) {
    f();
    calls++;
  }
  const perRound = Math.max(1, Math.round((calls * ROUND_MILLISECONDS) / (performance.now() - started)));
  const rounds = Array.from({ length: ROUNDS }, () => {
    const from = performance.now();
    for (let i = 0; i < perRound; i++) f();
    return ((performance.now() - from) * 1000) / perRound;
  }).sort((a, b) => a - b);
  return { name, median: rounds[ROUNDS >> 1]!, min: rounds[0]!, max: rounds[ROUNDS - 1]! };
}

const micro = (x: number): string => (x < 100 ? x.toFixed(2) : x.toFixed(0)).padStart(9);

/** One line a measurement; with a peer, their ratio (below one: we are faster). */
export function report(m: Measurement, peer?: Measurement, target?: number): string {
  const goal = target === undefined ? "" : `   target ${target} µs: ${m.median <= target ? "met" : "MISSED"}`;
  const ratio = peer
    ? `   ${(m.median / peer.median).toFixed(3)} × ${peer.name} (${micro(peer.median).trim()} µs)`
    : "";
  return `${m.name.padEnd(44)}${micro(m.median)} µs   [${micro(m.min)} … ${micro(m.max)}]${goal}${ratio}`;
}
