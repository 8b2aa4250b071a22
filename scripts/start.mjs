// `npm start`: the example. With COTANGENT_DEVICE=webgpu on a machine without a GPU, Node is led to a software driver if
// there is one: it must be chosen before the process asks for an adapter.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { argv, env, execPath, exit } from "node:process";
import { gpuEnvironment } from "./installSystemPackages.mjs";

const hasGpu = ["/dev/dri", "/dev/nvidia0", "/dev/dxg"].some((node) => existsSync(node));
const { status } = spawnSync(execPath, ["node_modules/tsx/dist/cli.mjs", "examples/mnist.ts", ...argv.slice(2)], {
  stdio: "inherit",
  env: { ...(hasGpu ? {} : gpuEnvironment()), ...env },
});
exit(status ?? 1);
