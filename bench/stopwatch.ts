/** Times of named pieces of work; `report` prints them as JSON, for the process that started this one. */
const times: Record<string, number> = {};
export function timed<T>(name: string, f: () => T): T {
  const from = performance.now();
  const result = f();
  times[name] = performance.now() - from;
  return result;
}

export const report = (): void => void process.stdout.write(JSON.stringify(times));
