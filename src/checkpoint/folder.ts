/** A folder of checkpoints of one run: `step-000123.safetensors`; the last ones are kept, and the best. */
import { ArgumentError, DataError } from "../core/problem.ts";
import type { SaveOptions } from "./bytes.ts";
import { type Path, namesIn, readStart, removeFile } from "./disk.ts";
import { load, save } from "./files.ts";
import type { LikeOptions } from "./leaves.ts";

export interface FolderOptions {
  /** How many of the last checkpoints are kept. Default 5. */
  readonly keepLast?: number;
  /** How many of the best ones are kept beside them, by the metric they were saved with. Default 0. */
  readonly keepBest?: number;
  /** Whether a better metric is a smaller or a larger one. Default "min", as of a loss. */
  readonly best?: "min" | "max";
}

export interface StepOptions extends SaveOptions {
  /** What the tree is worth, such as the loss on validation data. Without one it is never among the best. */
  readonly metric?: number;
}

/** The checkpoints of a run. */
export interface CheckpointFolder {
  /** Saves a tree as that of a step, then removes checkpoints that are neither among the last nor among the best. */
  save(step: number, tree: unknown, options?: StepOptions): Promise<void>;
  /** Loads the tree of a step; by default that of the last one. */
  load<T>(like?: T, options?: LikeOptions & { readonly step?: number }): Promise<T>;
  /** The steps there are, in order. */
  steps(): Promise<number[]>;
  /** The last step; null if there is none. */
  latest(): Promise<number | null>;
  /** The step with the best metric; null if none has one. */
  best(): Promise<number | null>;
}

const fileName = (step: number): string => `step-${String(step).padStart(6, "0")}.safetensors`;
const pattern = /^step-(\d{6,15})\.safetensors$/;

const metricKey = "metric";

/**
 * The checkpoints of a run, in a folder, which is made if it is missing.
 *
 * @throws ArgumentError for a number to keep that is no whole number, or with nothing to keep; its functions reject as
 * `save` and `load` do.
 * @example
 * const run = checkpoints.checkpointFolder("runs/1", { keepLast: 3, keepBest: 1 });
 * const afterStep = (step, tree, loss) => run.save(step, tree, { metric: loss }); // a promise
 */
export function checkpointFolder(folder: Path, options: FolderOptions = {}): CheckpointFolder {
  const { keepLast = 5, keepBest = 0, best: better = "min" } = options;
  if (![keepLast, keepBest].every((n) => Number.isInteger(n) && n >= 0) || keepLast + keepBest === 0)
    throw new ArgumentError("NothingToKeep", {
      what: `checkpointFolder: keepLast is ${keepLast}, keepBest ${keepBest}`,
      why: "both are whole numbers, and at least one checkpoint is kept",
      fix: "leave them out, or write { keepLast: 3, keepBest: 1 }",
    });

  const pathOf = (step: number): Path =>
    typeof folder === "string"
      ? `${folder.replace(/(?<=.)[/\\]$/, "")}/${fileName(step)}`
      : new URL(fileName(step), folder.href.endsWith("/") ? folder : `${folder.href}/`);

  const steps = async (): Promise<number[]> =>
    (await namesIn(folder))
      .flatMap((name) => pattern.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);

  /** Steps that have a metric, the best first; of equals the later one. */
  const ranked = async (): Promise<number[]> => {
    const withMetrics = await Promise.all(
      (await steps()).map(async (step) => [step, await metricOf(pathOf(step))] as const),
    );
    const sign = better === "min" ? 1 : -1;
    return withMetrics
      .filter((pair): pair is [number, number] => pair[1] !== null)
      .sort(([s, a], [t, b]) => sign * (a - b) || t - s)
      .map(([step]) => step);
  };

  return {
    async save(step, tree, { metric, metadata = {} } = {}) {
      checkStep(step);
      if (metric !== undefined && Number.isNaN(metric)) throw badMetric();
      await namesIn(folder);
      await save(pathOf(step), tree, {
        metadata: metric === undefined ? metadata : { ...metadata, [metricKey]: String(metric) },
      });
      const all = await steps();
      const kept = new Set([
        ...(keepLast === 0 ? [] : all.slice(-keepLast)),
        ...(keepBest === 0 ? [] : (await ranked()).slice(0, keepBest)),
      ]);
      for (const old of all) if (!kept.has(old)) await removeFile(pathOf(old));
    },
    async load<T>(like?: T, { step, ...likeOptions }: LikeOptions & { readonly step?: number } = {}) {
      const which = step ?? (await steps()).at(-1);
      if (which === undefined) throw emptyFolder(folder);
      return load(pathOf(which), like as T, likeOptions);
    },
    steps,
    latest: async () => (await steps()).at(-1) ?? null,
    best: async () => (await ranked())[0] ?? null,
  };
}

/** The metric in the metadata of a file, of which only the header is read. */
async function metricOf(path: Path): Promise<number | null> {
  const start = await readStart(path, 8);
  if (start.length < 8) return null;
  const view = new DataView(start.buffer, start.byteOffset, 8);
  const header = await readStart(path, 8 + Math.min(view.getUint32(0, true), 100_000_000));
  try {
    const { __metadata__: metadata } = JSON.parse(new TextDecoder().decode(header.subarray(8))) as {
      __metadata__?: Record<string, unknown>;
    };
    const metric = metadata?.[metricKey];
    return typeof metric === "string" && metric !== "" && !Number.isNaN(Number(metric)) ? Number(metric) : null;
  } catch {
    // Not a file of ours: `load` says what is wrong with it to whoever wants it.
    return null;
  }
}

function checkStep(step: number): void {
  if (Number.isInteger(step) && step >= 0 && step < 1e15) return;
  throw new ArgumentError("BadStep", {
    what: `save: the step is ${step}`,
    why: "steps are counted, and their numbers are the names of the files",
    fix: "pass a whole number that is not negative",
  });
}

const badMetric = (): ArgumentError =>
  new ArgumentError("BadMetric", {
    what: "save: the metric is NaN",
    why: "NaN is neither better nor worse than anything",
    fix: "leave the metric out, or find out where the NaN comes from with debugNans",
  });

const emptyFolder = (folder: Path): DataError =>
  new DataError("NoCheckpoint", {
    what: `load: there is no checkpoint in ${String(folder)}`,
    why: "files are named step-000123.safetensors",
    fix: "save one first, or ask latest() whether there is one",
  });
