import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

export default ts.config(
  {
    ignores: [
      "src/i18n/**",
      "src/protocol/api.ts",
      "public/**",
      "node_modules/**",
      ".svelte-check/**",
      ".dependency-cruiser.cjs",
    ],
  },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } } },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/sw.ts", "src/sw-news.ts", "src/**/*.svelte.ts"],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { arguments: false } }],
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/only-throw-error": "error",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: [".svelte"], svelteConfig } },
  },
  {
    files: ["src/**/*.{ts,svelte}"],
    rules: {
      "max-lines": ["error", { max: 500 }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      "no-console": ["error", { allow: ["warn", "error"] }],
      "no-eval": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Exports have names." },
        {
          selector: "NewExpression[callee.name='Worker'] > Literal",
          message: "A worker's address goes through scriptUrl.",
        },
        {
          selector: "AssignmentExpression > MemberExpression[property.name=/^(inner|outer)HTML$/]",
          message: "No markup from strings.",
        },
      ],
    },
  },
  {
    files: ["src/**/*.svelte"],
    rules: {
      "max-lines": ["error", { max: 150 }],
      "no-restricted-syntax": "off", // a component is a default export
      "svelte/no-at-html-tags": "error",
      "svelte/no-unused-svelte-ignore": "off", // svelte-check is the judge of warnings
      "svelte/no-navigation-without-resolve": "off", // of SvelteKit
    },
  },
  {
    files: ["src/state/**/*.svelte.ts"],
    // What is private is not shown, and what is shown is replaced as a whole (`$state.raw`).
    rules: { "svelte/prefer-svelte-reactivity": "off" },
  },
  {
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": "off", // the compiler tells, of components too, in a tenth of the time
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
);
