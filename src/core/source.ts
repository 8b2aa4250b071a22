/**
 * User stack frames: where in the user's file an operation was written.
 *
 * A `Source` keeps the raw `Error` and formats it only when somebody asks, because capturing a stack costs about a
 * microsecond and formatting it many. A frame is ours when its file lies in the folder this module was loaded from
 * (`src/` in development, `dist/` once built); the first frame that is not ours and not the runtime's is the user's.
 */

/** A captured place; `frame()` gives `file:line:column`, or "" when every frame is the library's. */
export interface Source {
  frame(): string;
}

/** Frames of a stack that is captured for every operation, and of one that is looked at because of a mistake. */
const STACK_DEPTH = 48;
const MISTAKE_DEPTH = 128;

type StackError = ErrorConstructor & { stackTraceLimit?: number };

/** An Error whose stack is deep enough to reach user code below the library's own frames. */
function captureError(depth = STACK_DEPTH): Error {
  const E = Error as StackError;
  const before = E.stackTraceLimit;
  E.stackTraceLimit = depth;
  const error = new Error();
  if (before !== undefined) E.stackTraceLimit = before;
  return error;
}

const LOCATION =
  /(?:\(|@|\s)((?:file:\/\/|https?:\/\/|\/|[A-Za-z]:\\|blob:|data:|webpack:|[\w.$-]+:)[^()]*?):(\d+):(\d+)\)?$/;

interface Frame {
  readonly file: string;
  readonly line: string;
  readonly column: string;
}

function parseFrame(line: string): Frame | null {
  const m = LOCATION.exec(line);
  return m ? { file: m[1]!.replace(/^file:\/\//, ""), line: m[2]!, column: m[3]! } : null;
}

/** The library's own folder, or its own file when everything was bundled into one. */
const ownRoot: string = (() => {
  const lines = (new Error().stack ?? "").split("\n");
  for (const line of lines) {
    const frame = parseFrame(line);
    if (!frame) continue;
    const inSource = frame.file.replace(/\\/g, "/").match(/^(.*\/)core\/source\.[cm]?[jt]s(\?.*)?$/);
    if (inSource) return inSource[1]!;
    // A chunk of the build: its folder is `dist/`. A file of any other name is a bundle that holds the user's code too.
    const folder = frame.file.replace(/\\/g, "/").match(/^(.*\/cotangent\/dist\/|.*\/dist\/)[^/]*$/);
    return folder ? folder[1]! : "";
  }
  return "";
})();

const isRuntimes = (file: string): boolean =>
  file.startsWith("node:") || file.startsWith("ext:") || file.startsWith("native:") || file.includes("/node_modules/");

const isOurs = (file: string): boolean => ownRoot !== "" && file.replace(/\\/g, "/").startsWith(ownRoot);

function firstUserFrame(stack: string): string {
  for (const line of stack.split("\n")) {
    const frame = parseFrame(line);
    if (frame && !isOurs(frame.file) && !isRuntimes(frame.file)) return `${frame.file}:${frame.line}:${frame.column}`;
  }
  return "";
}

/** The user's innermost frame right now, as text. */
export const userFrame = (): string => firstUserFrame(captureError(MISTAKE_DEPTH).stack ?? "");

class CapturedSource implements Source {
  #error: Error | null;
  #frame = "";
  constructor(error: Error) {
    this.#error = error;
  }
  frame(): string {
    if (this.#error) {
      this.#frame = firstUserFrame(this.#error.stack ?? "");
      this.#error = null;
    }
    return this.#frame;
  }
}

/** No place: what equations made outside any user code carry. */
export const noSource: Source = { frame: () => "" };

let replayed: Source | null = null;
/** Whether the operations replayed are derivatives of the line rather than the line itself. */
let differentiating = false;

/**
 * Captures the place of the operation being recorded. While an equation is replayed (transposed, batched, evaluated)
 * that is the place where the original was written, so that a cotangent's NaN is blamed on the forward line.
 */
export const captureSource = (): Source => replayed ?? new CapturedSource(captureError());

/** Runs `f` with every operation attributed to `source`; `derivative` says that they are its transpose. */
export function withSource<T>(source: Source, f: () => T, derivative = differentiating): T {
  const [before, wasDerivative] = [replayed, differentiating];
  replayed = source === noSource ? before : source;
  differentiating = derivative;
  try {
    return f();
  } finally {
    replayed = before;
    differentiating = wasDerivative;
  }
}

const nowhere: Source = { frame: () => "" };
/** Runs `f` without capturing places: what it makes is for other lines too, and a stack keeps alive what its functions see. */
export const withoutSources = <T>(f: () => T): T => withSource(nowhere, f);

/** The place that errors and NaN reports should name now: the replayed equation's, else the user's frame. */
export const currentPlace = (): string => replayed?.frame() || userFrame();

/** Whether the current operation is part of a transpose. */
export const isDifferentiating = (): boolean => differentiating;
