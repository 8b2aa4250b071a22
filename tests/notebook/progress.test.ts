/** Progress and displays, on frontends that note what they are sent. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { jit, numpy as np } from "../../src/index.ts";
import { display, progress } from "../../src/notebook/index.ts";
import { type Slot, inDeno, inTerminal, inTslab } from "../../src/notebook/frontend.ts";
import { Progress } from "../../src/notebook/progress.ts";

const options = { label: "fit", everyMilliseconds: 100 };
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("progress", () => {
  const noting = (): { readonly written: string[]; readonly closed: string[]; readonly slot: Slot } => {
    const [written, closed]: [string[], string[]] = [[], []];
    const slot: Slot = {
      write: (bundle) => void written.push(bundle["text/plain"]!),
      close: async (bundle) => void closed.push(bundle["text/plain"]!),
    };
    return { written, closed, slot };
  };

  test("writes at most every so often, and the last line once", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { written, closed, slot } = noting();
    const bar = new Progress(1000, options, slot);
    for (let i = 1; i <= 1000; i++) {
      vi.advanceTimersByTime(1);
      bar.update(i, { loss: 1 / i });
    }
    bar.update(1000);
    expect(written).toHaveLength(10);
    expect(written[0]).toBe("fit · 1/1000 · loss 1 · 0.0 s, 1.0 s to go");
    expect(closed).toEqual(["fit · 1000/1000 · loss 0.001 · 1.0 s"]);
  });

  test("can end early", async () => {
    const { closed, slot } = noting();
    const bar = new Progress(10, options, slot);
    bar.update(3);
    await bar.finish();
    bar.update(10);
    expect(closed).toHaveLength(1);
    expect(closed[0]).toMatch(/^fit · 3\/10/);
  });

  test("shows arrays, and tracers for what they are", () => {
    const { written, slot } = noting();
    new Progress(10, options, slot).update(1, { loss: np.array(0.25), w: np.ones([2]), name: "<b>" });
    expect(written[0]).toContain("loss 0.25 · w [1. 1.] · name <b>");
    jit((x) => {
      new Progress(10, options, slot).update(1, { x });
      return x;
    })(1);
    expect(written[1]).toContain("x Traced<float32[]>");
  });

  test("says what is wrong with a total", () => {
    for (const total of [0, -1, NaN, Infinity])
      expect(() => progress(total)).toThrow(expect.objectContaining({ code: "ProgressTotal" }) as Error);
  });
});

describe("Deno's kernel", () => {
  const kernel = (): {
    readonly sent: { message: string; text: string; id: unknown }[];
    readonly broadcast: (m: string, c: object) => Promise<void>;
  } => {
    const sent: { message: string; text: string; id: unknown }[] = [];
    const broadcast = async (message: string, content: object): Promise<void> => {
      const { data, transient } = content as { data: Record<string, string>; transient: { display_id?: string } };
      // Slow at first: order must not depend on it.
      if (sent.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      sent.push({ message, text: data["text/plain"]!, id: transient.display_id });
    };
    return { sent, broadcast };
  };

  test("gets one display that is updated, in order", async () => {
    const jupyter = kernel();
    const slot = inDeno(jupyter).open();
    slot.write({ "text/plain": "1" });
    slot.write({ "text/plain": "2" });
    await slot.close({ "text/plain": "3" });
    expect(jupyter.sent.map((s) => [s.message, s.text])).toEqual([
      ["display_data", "1"],
      ["update_display_data", "2"],
      ["update_display_data", "3"],
    ]);
    expect(new Set(jupyter.sent.map((s) => s.id)).size).toBe(1);
    expect(jupyter.sent[0]!.id).toMatch(/./);
  });

  test("is found by its name, and shows what display is given", async () => {
    const jupyter = kernel();
    vi.stubGlobal("Deno", { jupyter });
    await display(np.arange(3));
    expect(jupyter.sent).toEqual([{ message: "display_data", text: "Array([0, 1, 2], dtype=int32)", id: undefined }]);
  });

  test("that has gone away is no error", async () => {
    vi.stubGlobal("Deno", { jupyter: { broadcast: () => Promise.reject(new Error("gone")) } });
    await display(1);
    const bar = progress(2);
    bar.update(1);
    bar.update(2);
    await bar.finish();
    // Outside of its kernel Deno throws when it is asked.
    const outside = Object.defineProperty({}, "jupyter", {
      get() {
        throw new Error("only in jupyter");
      },
    });
    vi.stubGlobal("Deno", outside);
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    await display("text");
    expect(write).toHaveBeenCalledWith("text\n");
    write.mockRestore();
  });
});

describe("tslab", () => {
  const tslab = () => {
    const raw = vi.fn<(type: string, content: string | Uint8Array) => void>();
    const rewritten = vi.fn<(type: string, content: string | Uint8Array) => void>();
    return { raw, rewritten, display: { raw }, newDisplay: () => ({ raw: rewritten }) };
  };

  test("gets the richest form", async () => {
    const kernel = tslab();
    await inTslab(kernel).show({ "text/plain": "1", "text/html": "<b>1</b>" });
    await inTslab(kernel).show({ "text/plain": "1" });
    expect(kernel.raw.mock.calls).toEqual([
      ["text/html", "<b>1</b>"],
      ["text/plain", "1"],
    ]);
    const slot = inTslab(kernel).open();
    slot.write({ "text/plain": "1" });
    await slot.close({ "text/plain": "2" });
    expect(kernel.rewritten.mock.calls.map(([, text]) => text)).toEqual(["1", "2"]);
  });

  test("is found by the require of its cells", async () => {
    const kernel = tslab();
    vi.stubGlobal("__tslab__", { require: (name: string) => (name === "tslab" ? kernel : null) });
    await display({ loss: [2, 1] });
    expect(kernel.raw.mock.calls[0]![0]).toBe("text/html");
    kernel.raw.mockImplementation(() => {
      throw new Error("Not ready");
    });
    await display(1);
  });
});

describe("a terminal", () => {
  test("has one line, written again; a file gets the last one", async () => {
    for (const isTTY of [true, false]) {
      const written: string[] = [];
      const slot = inTerminal({ isTTY, write: (text) => written.push(text) }).open();
      slot.write({ "text/plain": "a\nb" });
      await slot.close({ "text/plain": "c" });
      expect(written).toEqual(isTTY ? ["\r\u001b[2Ka b", "\r\u001b[2Kc\n"] : ["c\n"]);
    }
  });
  test("may be closed, or not there", async () => {
    const closed = {
      write: () => {
        throw new Error("EPIPE");
      },
    };
    for (const output of [closed, null]) {
      await inTerminal(output).show({ "text/plain": "a" });
      await inTerminal(output).open().close({ "text/plain": "a" });
    }
  });
});
