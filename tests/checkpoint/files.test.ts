import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isLeft, isRight } from "fp-ts/lib/Either.js";
import { afterAll, describe, expect, test } from "vitest";
import { checkpointFolder, load, loadTask, loadz, save, saveTask, savez } from "../../src/checkpoint/index.ts";
import { readNpz } from "../../src/data/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { list } from "../support/arrays.ts";

const folder = mkdtempSync(join(tmpdir(), "cotangent-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const source = fileURLToPath(new URL("../../src/checkpoint/index.ts", import.meta.url));
const numpySource = fileURLToPath(new URL("../../src/numpy/index.ts", import.meta.url));

describe("save and load", () => {
  test("by path and by URL; saving again replaces the file and leaves nothing else", async () => {
    const path = at("a.safetensors");
    await save(path, { w: np.array([1, 2]), step: 1 });
    await save(pathToFileURL(path), { w: np.array([3, 4]), step: 2 });
    const back = (await load(path)) as { w: unknown; step: number };
    expect([list(back.w), back.step]).toEqual([[3, 4], 2]);
    expect(list((await load(pathToFileURL(path), { w: np.zeros([2]), step: 0 })).w)).toEqual([3, 4]);
    expect(readdirSync(folder)).toEqual(["a.safetensors"]);
  });

  test("in the current folder", () => {
    const script = at("relative.mts");
    writeFileSync(
      script,
      `import { load, save } from ${JSON.stringify(source)};\nawait save("here.safetensors", { n: 5 });\nconsole.log(JSON.stringify(await load("here.safetensors")));\n`,
    );
    const { stdout, stderr } = runScript(script);
    expect(stdout.trim(), stderr).toBe('{"n":5}');
  });

  test("errors are DataErrors with the system's reason, and values of the TaskEither forms", async () => {
    await expect(load(at("none.safetensors"))).rejects.toMatchObject({ name: "DataError", code: "FileSystem" });
    await expect(save(at("none/x.safetensors"), {})).rejects.toMatchObject({ code: "FileSystem" });
    expect(isRight(await saveTask(at("t.safetensors"), { x: 1 })())).toBe(true);
    const found = await loadTask(at("t.safetensors"), { x: 0 })();
    expect(isRight(found) && found.right).toEqual({ x: 1 });
    const lost = await loadTask(at("none.safetensors"))();
    expect(isLeft(lost) && lost.left.code).toBe("FileSystem");
    const wrong = await saveTask(at("t.safetensors"), { f: () => 1 })();
    expect(isLeft(wrong) && wrong.left.code).toBe("NotALeaf");
  });

  test.each(["rename", "sync"])(
    "a program that is killed before its %s leaves the old checkpoint whole",
    { timeout: 60_000 },
    async (when) => {
      const path = at(`killed-${when}.safetensors`);
      await save(path, { w: np.array([1, 2]) });
      const before = readFileSync(path);
      const script = at(`kill-${when}.mts`);
      // The process ends in the middle of `save`, as by a power cut: without any of its own code running afterwards.
      writeFileSync(
        script,
        `import fs from "node:fs/promises";
      import { syncBuiltinESMExports } from "node:module";
      const die = () => { process.stdout.write("reached\\n"); process.kill(process.pid, "SIGKILL"); return new Promise(() => {}); };
      if (${JSON.stringify(when)} === "rename") fs.rename = die;
      else {
        const open = fs.open;
        fs.open = async (...args) => { const file = await open(...args); file.sync = die; return file; };
      }
      syncBuiltinESMExports();
      const { save } = await import(${JSON.stringify(source)});
      const np = await import(${JSON.stringify(numpySource)});
      await save(${JSON.stringify(path)}, { w: np.zeros([1000]) });
      process.stdout.write("survived\\n");`,
      );
      const { stdout, signal } = runScript(script);
      expect([stdout.trim(), signal]).toEqual(["reached", "SIGKILL"]);
      expect(readFileSync(path).equals(before)).toBe(true);
      expect(list(((await load(path)) as { w: unknown }).w)).toEqual([1, 2]);
      expect(
        readdirSync(folder).some((name) => name.startsWith(`killed-${when}.safetensors.`) && name.endsWith(".tmp")),
      ).toBe(true);
    },
  );
});

/** Runs a program of TypeScript in a process of its own. */
function runScript(script: string) {
  const tsx = import.meta.resolve("tsx");
  const { stdout, stderr, signal } = spawnSync(process.execPath, ["--import", tsx, script], {
    cwd: folder,
    encoding: "utf8",
    timeout: 50_000,
  });
  return { stdout, stderr, signal };
}

describe("savez and loadz", () => {
  test("arrays by the paths of their leaves, and back by an example", async () => {
    const x = { layers: [{ w: np.ones([2, 2], "float16") }], key: random.key(9), rate: 0.1, on: true };
    await savez(at("x.npz"), x, { compress: true });
    expect(Object.keys(readNpz(readFileSync(at("x.npz")))).sort()).toEqual(["key", "layers[0].w", "on", "rate"]);
    const back = await loadz(at("x.npz"), x);
    expect([
      list(back.layers[0]!.w),
      back.layers[0]!.w.dtype,
      list(random.keyData(back.key)),
      back.rate,
      back.on,
    ]).toEqual([
      [
        [1, 1],
        [1, 1],
      ],
      "float16",
      [0, 9],
      0.1,
      true,
    ]);
    expect((await loadz(at("x.npz")))["layers[0].w"]!.shape).toEqual([2, 2]);
    await expect(loadz(at("x.npz"), { rate: 0 })).rejects.toMatchObject({ code: "CheckpointMismatch" });
    await expect(savez(at("y.npz"), { s: "text" })).rejects.toMatchObject({ code: "NotALeaf" });
    writeFileSync(at("bad.npz"), "no archive");
    await expect(loadz(at("bad.npz"))).rejects.toMatchObject({ name: "DataError", code: "NotZip" });
  });
});

describe("checkpointFolder", () => {
  test("keeps the last and the best", async () => {
    const run = checkpointFolder(at("run"), { keepLast: 2, keepBest: 1 });
    expect([await run.latest(), await run.best(), await run.steps()]).toEqual([null, null, []]);
    await expect(run.load()).rejects.toMatchObject({ code: "NoCheckpoint" });
    for (const [step, metric] of [
      [10, 0.5],
      [20, 0.1],
      [30, 0.4],
      [40, 0.3],
    ] as const)
      await run.save(step, { step }, { metric });
    expect(await run.steps()).toEqual([20, 30, 40]);
    expect(readdirSync(at("run")).sort()).toEqual([
      "step-000020.safetensors",
      "step-000030.safetensors",
      "step-000040.safetensors",
    ]);
    expect([await run.latest(), await run.best()]).toEqual([40, 20]);
    expect([await run.load(), await run.load(undefined, { step: 20 }), await run.load({ step: 0 })]).toEqual([
      { step: 40 },
      { step: 20 },
      { step: 40 },
    ]);
    await run.save(50, { step: 50 });
    expect(await run.steps()).toEqual([20, 40, 50]);
    // Another program finds the same.
    expect(await checkpointFolder(pathToFileURL(at("run"))).best()).toBe(20);
  });

  test("a larger metric may be the better one; of equals the later; other files are left alone", async () => {
    const run = checkpointFolder(at("max"), { keepLast: 1, keepBest: 1, best: "max" });
    for (const [step, metric] of [
      [1, 5],
      [2, 5],
      [3, 1],
      [1_000_000, -Infinity],
    ] as const)
      await run.save(step, [], { metric });
    expect([await run.steps(), await run.best()]).toEqual([[2, 1_000_000], 2]);
    writeFileSync(join(at("max"), "notes.txt"), "mine");
    writeFileSync(join(at("max"), "step-000003.safetensors"), "damaged");
    expect(await run.best()).toBe(2);
    await run.save(2_000_000, []);
    expect(readdirSync(at("max"))).toContain("notes.txt");
  });

  test("says what is wrong", async () => {
    expect(() => checkpointFolder(at("z"), { keepLast: 0 })).toThrow(/keepLast is 0/);
    await expect(checkpointFolder(at("z")).save(1.5, [])).rejects.toMatchObject({ code: "BadStep" });
    await expect(checkpointFolder(at("z")).save(1, [], { metric: NaN })).rejects.toMatchObject({ code: "BadMetric" });
  });
});
