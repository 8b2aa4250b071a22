import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "coverage/", "site/", "tests/golden/cases/", "tests/golden/run-golden.mjs"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  tseslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Under noUncheckedIndexedAccess, `!` is how a loop says that its index is in range.
      "@typescript-eslint/no-non-null-assertion": "off",
      // Where `any` is written it is excused in place; what follows from it need not be.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-unused-expressions": ["error", { allowShortCircuit: true, allowTernary: true }],
      // Methods of an interface may be async on one device and not on another.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/restrict-template-expressions": "off",
      // `Known | unknown` says what is expected.
      "@typescript-eslint/no-redundant-type-constituents": "off",
      // Arrays of the library print themselves.
      "@typescript-eslint/no-base-to-string": "off",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
    },
  },
  {
    rules: {
      "@typescript-eslint/no-unused-vars": [
        "error",
        {
          argsIgnorePattern: "^_",
          varsIgnorePattern: "^_",
          caughtErrorsIgnorePattern: "^_",
          destructuredArrayIgnorePattern: "^_",
          ignoreRestSiblings: true,
        },
      ],
      // Pages with a content security policy forbid both, and kernels are wasm or WGSL, never JavaScript text.
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: "^fp-ts($|/(?!lib/\\w+\\.js$))",
              message: 'Write "fp-ts/lib/function.js": "fp-ts/function" does not load in Node and Deno.',
            },
          ],
        },
      ],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "object-shorthand": "error",
      "prefer-const": ["error", { destructuring: "all" }],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-console": "error",
      "max-lines": ["error", { max: 600 }],
    },
  },
  // The one place that warns, once per message.
  { files: ["src/core/warn.ts"], rules: { "no-console": "off" } },
  {
    files: ["tests/**/*.ts"],
    rules: {
      "max-lines": ["warn", { max: 500 }],
      "@typescript-eslint/no-floating-promises": "error",
    },
  },
);
