/** `cotangent/checkpoint`: trees of arrays in files. The root, where `checkpoint` is the transform, has it as `checkpoints`. */
import "../backends/install.ts";
import "../numpy/install.ts";

export { type SaveOptions, fromBytes, parseBytes, toBytes } from "./bytes.ts";
export { type Path } from "./disk.ts";
export { load, loadTask, loadz, save, saveTask, savez } from "./files.ts";
export { type CheckpointFolder, type FolderOptions, type StepOptions, checkpointFolder } from "./folder.ts";
export { type LikeOptions } from "./leaves.ts";
