import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { gpuEnvironment } from "./scripts/installSystemPackages.mjs";

const src = fileURLToPath(new URL("src/", import.meta.url));

// Suites about transformations and primitives run on the reference device: they are many small programs, each of which a
// compiling device would compile first. What devices compute is compared with the reference in tests/devices, tests/golden
// and by random programs in tests/compiler; everything else runs on the default device.
const reference = ["tests/{control,random,sweep,transforms}/**/*.test.ts"];

const shared = {
  environment: "node",
  testTimeout: 30_000,
  hookTimeout: 120_000,
} as const;

export default defineConfig({
  resolve: {
    // The `paths` of tsconfig.json.
    alias: [
      { find: /^cotangent$/, replacement: `${src}index.ts` },
      { find: /^cotangent\/(.*)$/, replacement: `${src}$1/index.ts` },
    ],
  },
  test: {
    // Of two cores vitest would use one.
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        test: { ...shared, name: "reference", include: reference, env: { COTANGENT_DEVICE: "cpu" } },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: "devices",
          include: ["tests/**/*.test.ts"],
          exclude: reference,
          env: gpuEnvironment(),
        },
      },
    ],
  },
});
