/**
 * Where cells show things: Deno's kernel, tslab (a kernel of Node), or nothing but a terminal. A frontend that fails is
 * ignored: what is shown is never worth a failed computation.
 */
import type { MimeBundle } from "../core/display.ts";

/** Something shown that can be replaced by something else. */
export interface Slot {
  write(bundle: MimeBundle): void;
  /** Writes for the last time; done when the frontend has it. */
  close(bundle: MimeBundle): Promise<void>;
}
export interface Frontend {
  show(bundle: MimeBundle): Promise<void>;
  open(): Slot;
}

interface Jupyter {
  broadcast(message: string, content: object): Promise<void>;
}
interface TslabDisplay {
  raw(type: string, content: string | Uint8Array): void;
}
interface Tslab {
  readonly display: TslabDisplay;
  newDisplay(): TslabDisplay;
}
interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** The frontend of this process. */
export function frontend(): Frontend {
  const jupyter = denoJupyter();
  if (jupyter) return inDeno(jupyter);
  const tslab = loadTslab();
  return tslab ? inTslab(tslab) : inTerminal(standardOutput());
}

/** Outside of its kernel Deno has the name and throws. */
function denoJupyter(): Jupyter | null {
  try {
    const { Deno } = globalThis as { Deno?: { jupyter?: Jupyter } };
    return typeof Deno?.jupyter?.broadcast === "function" ? Deno.jupyter : null;
  } catch {
    return null;
  }
}

/** tslab leaves the `require` of its cells in a global variable; what the name gives elsewhere is not the running kernel. */
function loadTslab(): Tslab | null {
  try {
    const { __tslab__ } = globalThis as { __tslab__?: { require(name: string): unknown } };
    return (__tslab__?.require("tslab") as Tslab | undefined) ?? null;
  } catch {
    return null;
  }
}

function standardOutput(): Output | null {
  return (globalThis as { process?: { stdout?: Output } }).process?.stdout ?? null;
}

/**
 * A cell of Deno's kernel that ends right after a broadcast may be reported as done before its output is sent, and programs that
 * run notebooks, such as nbconvert, then drop the rest (deno 2.9: one cell in ten). A pause before going on prevents it.
 */
const PAUSE_MILLISECONDS = 20;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));

/** @param jupyter Deno's connection to the notebook. */
export function inDeno(jupyter: Jupyter): Frontend {
  const send = async (message: string, bundle: MimeBundle, id?: string): Promise<void> => {
    const transient = id === undefined ? {} : { display_id: id };
    try {
      await jupyter.broadcast(message, { data: bundle, metadata: {}, transient });
    } catch {
      // The notebook has gone away.
    }
  };
  return {
    show: (bundle) => send("display_data", bundle).then(pause),
    open() {
      const id = crypto.randomUUID();
      let isOpen = false;
      // One after the other, in the order of writing.
      let sent: Promise<void> = Promise.resolve();
      const write = (bundle: MimeBundle): void => {
        const message = isOpen ? "update_display_data" : "display_data";
        isOpen = true;
        sent = sent.then(() => send(message, bundle, id));
      };
      return {
        write,
        close(bundle) {
          write(bundle);
          return sent.then(pause);
        },
      };
    },
  };
}

/** The forms that tslab is given, the richest first: it shows one per message. */
const preferred = ["text/html", "image/svg+xml", "image/png", "text/plain"] as const;

export function inTslab(tslab: Tslab): Frontend {
  const write = (display: TslabDisplay, bundle: MimeBundle): void => {
    const type = preferred.find((t) => bundle[t] !== undefined);
    if (type === undefined) return;
    try {
      display.raw(type, bundle[type]!);
    } catch {
      // Before the kernel is ready there is nobody to show anything to.
    }
  };
  return {
    show: async (bundle) => write(tslab.display, bundle),
    open() {
      const display = tslab.newDisplay();
      return { write: (bundle) => write(display, bundle), close: async (bundle) => write(display, bundle) };
    },
  };
}

/** One line that is written again and again; into a file or a pipe only the last one. */
export function inTerminal(output: Output | null): Frontend {
  const put = (text: string): void => {
    try {
      output?.write(text);
    } catch {
      // A closed pipe.
    }
  };
  const lineOf = (bundle: MimeBundle): string => (bundle["text/plain"] ?? "").replace(/\s+/g, " ");
  const ERASE_LINE = "\r\u001b[2K";
  return {
    show: async (bundle) => put(`${bundle["text/plain"] ?? ""}\n`),
    open: () => ({
      write(bundle) {
        if (output?.isTTY) put(ERASE_LINE + lineOf(bundle));
      },
      async close(bundle) {
        put(`${output?.isTTY ? ERASE_LINE : ""}${lineOf(bundle)}\n`);
      },
    }),
  };
}
