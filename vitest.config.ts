import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { type TestProjectInlineConfiguration, defineConfig } from "vitest/config";
import { chromiumGpuFlags, findChromium, gpuEnvironment } from "./scripts/installSystemPackages.mjs";

const src = fileURLToPath(new URL("src/", import.meta.url));

// Suites about transformations and primitives run on the reference device: they are many small programs, each of which a
// compiling device would compile first. What devices compute is compared with the reference in tests/devices, tests/golden,
// tests/runtimes and by random programs in tests/compiler; everything else runs on the default device.
const reference = ["tests/{control,random,sweep,transforms}/**/*.test.ts"];

// Run in a page as well as in Node.
const everywhere = ["tests/runtimes/{library,threads}.test.ts"];
// As root, as in containers, chromium runs only without its sandbox.
const chromiumFlags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run"];

const shared = {
  environment: "node",
  testTimeout: 30_000,
  hookTimeout: 120_000,
} as const;

/** A project whose tests run in a page that comes with some headers. */
const page = (
  name: string,
  { include, headers = {} }: { readonly include: string[]; readonly headers?: Record<string, string> },
): TestProjectInlineConfiguration => ({
  extends: true,
  // Found while tests run, they would be bundled then, and the page loaded again.
  optimizeDeps: {
    include: [
      "fast-check",
      "fp-ts/lib/Either.js",
      "fp-ts/lib/function.js",
      "fp-ts/lib/Monoid.js",
      "fp-ts/lib/TaskEither.js",
    ],
  },
  server: { headers },
  test: {
    name,
    include,
    testTimeout: shared.testTimeout,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      instances: [{ browser: "chromium" }],
      // The system's browser: playwright downloads none unless it is asked to.
      provider: playwright({
        launchOptions: {
          executablePath: findChromium() ?? "chromium",
          args: [...chromiumFlags, ...chromiumGpuFlags],
        },
      }),
    },
  },
});

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
      page("chromium", { include: everywhere }),
      // Memory that threads share exists on such pages only.
      page("isolated", {
        include: ["tests/runtimes/threads.test.ts"],
        headers: {
          "Cross-Origin-Opener-Policy": "same-origin",
          "Cross-Origin-Embedder-Policy": "require-corp",
        },
      }),
    ],
  },
});
