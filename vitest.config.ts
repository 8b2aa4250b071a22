import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { gpuEnvironment } from "./scripts/installSystemPackages.mjs";

const src = fileURLToPath(new URL("src/", import.meta.url));

export default defineConfig({
  resolve: {
    // The `paths` of tsconfig.json.
    alias: [
      { find: /^cotangent$/, replacement: `${src}index.ts` },
      { find: /^cotangent\/(.*)$/, replacement: `${src}$1/index.ts` },
    ],
  },
  test: {
    include: ["tests/**/*.test.ts"],
    environment: "node",
    env: gpuEnvironment(),
    // Of two cores vitest would use one.
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
