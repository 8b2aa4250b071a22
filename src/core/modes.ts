/** Process-wide switches that change how programs run, not what they mean. */
export interface Modes {
  /** Run jitted functions, and loops and branches, as plain JavaScript. */
  disableJit: boolean;
  /** Look for NaN in every result. */
  debugNans: boolean;
  /** With `debugNans`: also report NaN that never reaches a result. */
  debugNansEverywhere: boolean;
  /** Look for infinities in every result. */
  debugInfs: boolean;
  /** Report PRNG keys that are consumed twice. */
  debugKeyReuse: boolean;
  /** Say why a jitted function was traced again. */
  explainRetraces: boolean;
}

export const modes: Modes = {
  disableJit: false,
  debugNans: false,
  debugNansEverywhere: false,
  debugInfs: false,
  debugKeyReuse: false,
  explainRetraces: false,
};

/** Whether evaluation looks at every result. */
export const watchesResults = (): boolean => modes.debugNans || modes.debugInfs;

/** Whether single operations are looked at, so that functions of several must not run as one. */
export const watchesOperations = (): boolean => modes.disableJit || modes.debugKeyReuse || watchesResults();

/** Runs `f` with some switches changed. */
export function withModes<T>(changed: Partial<Modes>, f: () => T): T {
  const before = { ...modes };
  Object.assign(modes, changed);
  try {
    return f();
  } finally {
    Object.assign(modes, before);
  }
}
