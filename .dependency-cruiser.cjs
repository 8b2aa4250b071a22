// Who may import whom: docs/architecture.md, "Rooms". Each room lists what it may import besides itself; everything else
// is an error. The lists form a partial order, so there can be no cycle between rooms.
const skins = ["numpy", "random"];
// What users type: rooms above this line use public names only.
const publicRooms = [...skins, "lax", "transforms", "tree"];
const layers = ["scipy", "nn", "metrics", "image", "ops", "optim"];

const rooms = {
  core: [],
  tree: ["core"],
  // Dispatch on the slots of whatever primitive an equation carries: adding a primitive cannot require editing them.
  transforms: ["core"],
  // Data to data; reads the primitive that an equation carries.
  compiler: ["core"],
  // Only the loop-nest builder of the compiler, see below.
  lax: ["core", "compiler"],
  // Never see tracers or trees.
  backends: ["core", "compiler"],
  random: ["core", "lax", "transforms"],
  numpy: ["core", "lax", "transforms"],
  ops: ["core", ...publicRooms],
  image: ["core", ...publicRooms],
  metrics: ["core", ...publicRooms],
  nn: ["core", ...publicRooms, "ops"],
  // Its softmax and logsumexp are those of nn.
  scipy: ["core", ...publicRooms, "nn"],
  // Losses are made of softmax and its kin.
  optim: ["core", ...publicRooms, "nn"],
  // A loop over the steps of an optimizer.
  train: ["core", ...publicRooms, "nn", "optim"],
  // Augmentation turns and stretches images with scipy's interpolation.
  data: ["core", ...publicRooms, "scipy"],
  // Files of arrays are those of data.
  checkpoint: ["core", ...publicRooms, "data"],
  profiler: ["core", "compiler", "backends"],
  checkify: ["core", ...publicRooms],
  // Names of root modules of JAX that are made of several rooms.
  custom: ["core", ...publicRooms],
  config: ["core", "backends", "debug"],
  debug: ["core", "compiler", "backends", ...publicRooms, ...layers],
  testing: ["core", ...publicRooms, ...layers],
  notebook: ["core", ...publicRooms, "data"],
};

// index.ts of the package and of a room are entry points: they re-export, and import the two installs.
const entryPoints = ["^src/index\\.ts$", "^src/[^/]+/index\\.ts$"];
const either = (names) => `(${names.join("|")})`;

const directions = Object.entries(rooms).map(([room, allowed]) => ({
  name: `direction-of-${room}`,
  comment: `${room} imports ${allowed.join(", ") || "no other room"}`,
  severity: "error",
  from: { path: `^src/${room}/`, pathNot: entryPoints },
  to: { path: "^src/", pathNot: `^src/${either([room, ...allowed])}/` },
}));

module.exports = {
  forbidden: [
    ...directions,
    {
      name: "every-room-has-a-rule",
      comment: "Add the new room to `rooms`.",
      severity: "error",
      from: { path: "^src/", pathNot: [`^src/${either(Object.keys(rooms))}/`, ...entryPoints] },
      to: {},
    },
    {
      name: "lax-sees-loop-nests-only",
      severity: "error",
      from: { path: "^src/lax/", pathNot: entryPoints },
      to: { path: "^src/compiler/", pathNot: "^src/compiler/loopNest(\\.ts$|/)" },
    },
    {
      name: "nobody-imports-the-root",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^src/index\\.ts$" },
    },
    {
      name: "only-entry-points-install",
      comment: "Who imports an install cannot be shaken out of a bundle.",
      severity: "error",
      from: { path: "^src/", pathNot: entryPoints },
      to: { path: "^src/(numpy|backends|notebook)/install\\.ts$" },
    },
    {
      name: "no-cycles",
      comment:
        "Families of lax name each other in rules, which run late, and a test imports each family first. Types may go round: they are gone when the program runs.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/lax/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "only-declared-packages",
      comment: "Users get `dependencies` and nothing else; fast-check is the optional peer of cotangent/testing.",
      severity: "error",
      from: { path: "^src/" },
      to: {
        dependencyTypes: ["npm-dev", "npm-optional", "npm-no-pkg", "npm-unknown"],
        pathNot: "node_modules/fast-check/",
      },
    },
    {
      name: "fast-check-only-in-testing",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/testing/" },
      to: { path: "node_modules/fast-check/" },
    },
    {
      name: "node-modules-of-node-only-dynamically",
      comment: "A static import of node:fs would keep the module from loading in a page.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["core"], dependencyTypesNot: ["type-only"], dynamic: false },
    },
    {
      name: "no-missing-files",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "default"],
      extensions: [".ts", ".js"],
    },
  },
};
