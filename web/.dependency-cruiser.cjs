/** The order of the rooms: each may import only what stands further down (ARCHITECTURE.md). */
const ORDER = [
  ["routes"],
  ["screens"],
  ["state"],
  ["take"],
  ["media", "storage", "transfer"],
  ["crypto"],
  ["protocol"],
];
const TOP = ["main", "App", "shell", "sw", "sw-news"];

const above = (rank) => ORDER.slice(0, rank).flat();
const besides = (room, rank) => ORDER[rank].filter((other) => other !== room);

const upwards = ORDER.flatMap((rooms, rank) =>
  rooms.map((room) => ({
    name: `${room}-looks-down-only`,
    severity: "error",
    from: { path: `^src/${room}/` },
    to: {
      path: `^src/(?:(?:${[...above(rank), ...besides(room, rank), "gallery"].join("|")})/|(?:${TOP.join("|")})\\.)`,
    },
  })),
).filter((rule) => rule.to.path !== "^src/(?:)/");

module.exports = {
  forbidden: [
    ...upwards,
    {
      name: "no-circles",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true },
    },
    {
      name: "ui-knows-only-itself",
      comment: "Components of the design language get values and callbacks; tokens are part of ui.",
      severity: "error",
      from: { path: "^src/ui/" },
      to: { path: "^src/", pathNot: "^src/(?:ui|i18n)/" },
    },
    {
      name: "only-screens-draw",
      comment: "What works without a page must stay usable in a worker and in Node.",
      severity: "error",
      from: { path: "^src/(?:protocol|crypto|media|storage|transfer|take)/" },
      to: { path: "^src/(?:ui|i18n)/|node_modules/svelte/" },
    },
    {
      name: "screens-are-given-values",
      comment:
        "Fetching, sealing and storing belong to state and below; types and pure rules of the protocol may be named.",
      severity: "error",
      from: { path: "^src/screens/" },
      to: { path: "^src/(?:take|media|storage|transfer|crypto)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "one-room-encodes",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/media/" },
      to: { path: "node_modules/(?:mediabunny|@mediabunny)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "one-room-seals",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/crypto/" },
      to: { path: "node_modules/(?:age-encryption|hash-wasm|@noble)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "imports-resolve",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true, pathNot: "\\?(?:worker|url|raw)" },
    },
    {
      name: "tests-stay-outside",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(?:tests|plugins)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^src/i18n/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["svelte", "browser", "import", "default"],
      extensions: [".ts", ".js", ".svelte", ".svelte.ts"],
    },
  },
};
