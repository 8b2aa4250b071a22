/** Timing for the benchmarks: warm up, then the median of several rounds, so that a noisy neighbour does not decide. */

export interface Measurement {
  readonly name: string;
  /** Median, minimum and maximum of the rounds, in microseconds per call. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export const print = (line: string): void => void process.stdout.write(`${line}\n`);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

const ROUNDS = 15;
const ROUND_MILLISECONDS = 30;

/** Microseconds per call of `f`. */
export const measure = (name: string, f: () => void): Measurement => measureTogether({ [name]: f })[0]!;

/** The same of several functions, whose rounds take turns: what slows the machine down for a while slows all of them. */
export function measureTogether(functions: Readonly<Record<string, () => void>>): Measurement[] {
  const runs = Object.entries(functions).map(([name, f]) => {
    const started = performance.now();
    let calls = 0;
    // Warm up for at least 200 ms, which also tells how many calls fill a round.
    while (performance.now() - started < 200) {
      f();
      calls++;
    }
    const perRound = Math.max(1, Math.round((calls * ROUND_MILLISECONDS) / (performance.now() - started)));
    return { name, f, perRound, rounds: [] as number[] };
  });
  for (let round = 0; round < ROUNDS; round++)
    for (const { f, perRound, rounds } of runs) {
      const from = performance.now();
      for (let i = 0; i < perRound; i++) f();
      rounds.push(((performance.now() - from) * 1000) / perRound);
    }
  return runs.map(({ name, rounds }) => ({
    name,
    median: median(rounds),
    min: Math.min(...rounds),
    max: Math.max(...rounds),
  }));
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

/** Something measured against others: each runs once in a round, in turn, so that a drift of the machine hits all. */
export interface Contender {
  readonly name: string;
  readonly run: () => unknown;
}

/** Median milliseconds of every contender. Asynchronous ones are awaited. */
export async function race(contenders: readonly Contender[], milliseconds = 1500): Promise<number[]> {
  const times = contenders.map((): number[] => []);
  const round = async (keep: boolean): Promise<void> => {
    for (const [i, { run }] of contenders.entries()) {
      const from = performance.now();
      const result = run();
      if (result instanceof Promise) await result;
      if (keep) times[i]!.push(performance.now() - from);
    }
    // Memory of results is given back between tasks.
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  for (let i = 0; i < 4; i++) await round(false);
  const started = performance.now();
  while (times[0]!.length < 5 || (performance.now() - started < milliseconds && times[0]!.length < 200))
    await round(true);
  return times.map(median);
}
