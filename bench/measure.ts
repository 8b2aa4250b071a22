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

/** Something measured against others in rounds, in which each has a turn, so that a drift of the machine hits all. */
export interface Contender {
  readonly name: string;
  /** A promise is awaited. */
  readonly run: () => unknown;
}

export interface Finish {
  /** Median milliseconds of a call. */
  readonly milliseconds: number;
  /** Processor time over time, in the middle of the turns: how many cores it kept busy. */
  readonly cores: number;
}

const WARM_UP_MILLISECONDS = 150;
const TURN_MILLISECONDS = 30;
const TURNS = { least: 7, slowest: 3 };

interface Turns {
  readonly run: () => unknown;
  readonly calls: number;
  readonly times: number[];
  readonly cores: number[];
  passed: number;
}

/** Calls it until the engine has optimised it, and finds out how many calls make a turn. */
async function warmUp(run: () => unknown): Promise<Turns> {
  const started = performance.now();
  let last = 0;
  for (let i = 0; i < 2 || performance.now() - started < WARM_UP_MILLISECONDS; i++) {
    const from = performance.now();
    await run();
    last = performance.now() - from;
  }
  return { run, calls: Math.max(1, Math.floor(TURN_MILLISECONDS / last)), times: [], cores: [], passed: 0 };
}

/** Waits until threads that wait by spinning have gone to sleep, and memory of results was given back. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 4));
    const { user, system } = process.cpuUsage(before);
    if (user + system < 800) return;
  }
}

async function turn(of: Turns): Promise<void> {
  const { run, calls } = of;
  await quiet();
  // Brings back into the caches what others drove out, if turns are long enough to have a call for that.
  if (calls > 1) await run();
  const cpu = process.cpuUsage();
  const from = performance.now();
  for (let i = 0; i < calls; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  const passed = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  of.times.push(passed / calls);
  of.cores.push((user + system) / 1000 / passed);
  of.passed += passed;
}

/**
 * Runs contenders against each other for about the time given, all together. One that is so slow that it would take all of
 * that time has a few turns only.
 */
export async function race(contenders: readonly Contender[], milliseconds: number): Promise<Finish[]> {
  const all: Turns[] = [];
  for (const { run } of contenders) all.push(await warmUp(run));
  const started = performance.now();
  for (let round = 0; round < TURNS.least || performance.now() - started < milliseconds; round++)
    for (const one of all) if (round < TURNS.slowest || one.passed < milliseconds) await turn(one);
  return all.map(({ times, cores }) => ({ milliseconds: median(times), cores: median(cores) }));
}
