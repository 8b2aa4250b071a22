/**
 * Files on disk, in Node and Deno. A file is written under another name in the same folder, brought to the disk, and then
 * renamed, which happens at once or not at all: whatever happens in between, the old file is whole.
 */
import type * as NodeFiles from "node:fs/promises";
import { DataError, DeviceError } from "../core/problem.ts";

/** Where a file is. */
export type Path = string | URL;

type FileSystem = typeof NodeFiles;

async function fileSystem(): Promise<FileSystem> {
  try {
    // A variable, so that bundlers of pages do not look for the module.
    const name = "node:fs/promises";
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as FileSystem;
  } catch {
    throw new DeviceError("NoFiles", {
      what: "there are no files in this runtime",
      why: "saving and loading by path needs node:fs, which Node and Deno have",
      fix: "use toBytes and fromBytes, and keep the bytes where the page can, such as IndexedDB or a download",
    });
  }
}

/** What the file system refuses as an error of ours; its own is the cause. */
const refused = (what: string, path: Path, cause: unknown): DataError =>
  new DataError(
    "FileSystem",
    {
      what: `${what} ${String(path)}: ${cause instanceof Error ? cause.message : String(cause)}`,
      why: "the file system said so",
      fix: "check that the folder exists, that there is room, and that the program may read and write there",
    },
    { cause },
  );

async function attempt<T>(what: string, path: Path, f: (fs: FileSystem) => Promise<T>): Promise<T> {
  const fs = await fileSystem();
  try {
    return await f(fs);
  } catch (error) {
    throw refused(what, path, error);
  }
}

/** The path beside another, for the time of writing. */
const besides = (path: Path): Path => {
  const ending = `.${globalThis.crypto.randomUUID()}.tmp`;
  return typeof path === "string" ? path + ending : new URL(path.href + ending);
};

/** The folder of a file. */
const folderOf = (path: Path): Path =>
  typeof path === "string" ? path.replace(/[^/\\]*$/, "") || "." : new URL(".", path);

/** Writes a file whole or not at all. */
export const writeFile = (path: Path, bytes: Uint8Array): Promise<void> =>
  attempt("writing", path, async (fs) => {
    const temporary = besides(path);
    try {
      const file = await fs.open(temporary, "wx");
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await fs.rename(temporary, path);
    } catch (error) {
      await fs.rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(fs, folderOf(path));
  });

/** The new name is on disk when its folder is. Where folders cannot be opened, the system sees to it by itself. */
async function syncFolder(fs: FileSystem, folder: Path): Promise<void> {
  try {
    const handle = await fs.open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows: folders are no files there.
  }
}

export const readFile = (path: Path): Promise<Uint8Array> => attempt("reading", path, (fs) => fs.readFile(path));

/** The first bytes of a file, as many as there are. */
export const readStart = (path: Path, length: number): Promise<Uint8Array> =>
  attempt("reading", path, async (fs) => {
    const file = await fs.open(path, "r");
    try {
      const { size } = await file.stat();
      const buffer = new Uint8Array(Math.min(length, size));
      let at = 0;
      for (let read = -1; at < buffer.length && read !== 0; at += read)
        ({ bytesRead: read } = await file.read(buffer, at, buffer.length - at, at));
      return buffer.subarray(0, at);
    } finally {
      await file.close();
    }
  });

/** The names in a folder, which is made if it is missing. */
export const namesIn = (folder: Path): Promise<string[]> =>
  attempt("opening the folder", folder, async (fs) => {
    await fs.mkdir(folder, { recursive: true });
    return fs.readdir(folder);
  });

export const removeFile = (path: Path): Promise<void> =>
  attempt("removing", path, (fs) => fs.rm(path, { force: true }));
