/**
 * Implicit differentiation: `customLinearSolve` and `customRoot`.
 *
 * A linear solve x = A⁻¹b is a primitive that holds the solver as a jaxpr; its derivative solves the same system again,
 * dx = A⁻¹(db − dA x), and its transpose solves the transposed one. A root of f(x) = 0 is differentiated through the
 * implicit function theorem, df/dx · dx = −df/dθ · dθ, which is one linear solve.
 */
import type { Aval } from "../../core/aval.ts";
import { type AnyFunction, checkCallable, checkOptions, flattenResult, flattenTree } from "../../core/call.ts";
import type { Interpreters } from "../../core/interpreters.ts";
import { type Jaxpr, Var, evalJaxpr, hoistConsts, makeJaxprOf, outAvals } from "../../core/jaxpr.ts";
import type { Operand } from "../../core/lowering.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { type Many, type Primitive, type Tangent, Zero, definePrimitive, isLinear } from "../../core/primitive.ts";
import { TransformError, TreeError } from "../../core/problem.ts";
import { traceToJaxpr } from "../../core/staging.ts";
import { batchToFront, instantiate, tangentAval } from "../../core/structural.ts";
import { bind } from "../../core/trace.ts";
import { type TreeDef, treeDifferences, unflatten } from "../../core/tree.ts";
import type { Arrays } from "../../core/types.ts";
import { neg, sub } from "../arithmetic.ts";
import { orFlags, sameFlags } from "./carry.ts";

/** The jaxprs of a solve. Each takes its own captured values, then the vector. */
interface Jaxprs {
  readonly matvec: Jaxpr;
  readonly vecmat: Jaxpr | null;
  readonly solve: Jaxpr;
  readonly transposeSolve: Jaxpr | null;
}
/** Numbers of captured values, in the same order. */
interface Counts {
  readonly matvec: number;
  readonly vecmat: number;
  readonly solve: number;
  readonly transposeSolve: number;
}
/** What solvers give besides the solution follows it among the results; derivatives leave it out. */
export interface LinearSolveParams {
  readonly jaxprs: Jaxprs;
  readonly counts: Counts;
}

interface Parts<T> {
  readonly matvec: readonly T[];
  readonly vecmat: readonly T[];
  readonly solve: readonly T[];
  readonly transposeSolve: readonly T[];
  readonly b: readonly T[];
}
function partsOf<T>(all: readonly T[], { matvec, vecmat, solve, transposeSolve }: Counts): Parts<T> {
  const at = [matvec, matvec + vecmat, matvec + vecmat + solve, matvec + vecmat + solve + transposeSolve];
  return {
    matvec: all.slice(0, at[0]),
    vecmat: all.slice(at[0], at[1]),
    solve: all.slice(at[1], at[2]),
    transposeSolve: all.slice(at[2], at[3]),
    b: all.slice(at[3]),
  };
}

export const linearSolveP: Primitive<Many, LinearSolveParams> = /* @__PURE__ */ definePrimitive<
  Many,
  LinearSolveParams
>({
  name: "custom_linear_solve",
  kind: "control",
  infer: (_, { jaxprs }) => outAvals(jaxprs.solve),
  reference: (ins, { jaxprs, counts }, _, context) => {
    const p = partsOf(ins, counts);
    return context.program(jaxprs.solve)([...p.solve, ...p.b]);
  },
  jvp: (primals, tangents, params, i) => jvpSolve(primals, tangents, params, i),
  transpose: (cts, operands, { jaxprs, counts }) => {
    const { transposeSolve, vecmat } = jaxprs;
    if (!transposeSolve || !vecmat)
      throw new TransformError("NoTransposeSolve", {
        what: "customLinearSolve: reverse mode needs the transposed system, and neither transposeSolve nor symmetric: true was given",
        why: "the cotangent of b is the solution of the transposed system",
        fix: "pass a transposeSolve function, or { symmetric: true } if the matrix is symmetric",
      });
    const p = partsOf(operands, counts);
    const known = [...p.vecmat, ...p.matvec, ...p.transposeSolve, ...p.solve] as NDArray[];
    const given = cts
      .slice(0, p.b.length)
      .map((t, i) => instantiate(t instanceof Zero ? new Zero(tangentAval(outAvals(jaxprs.solve)[i]!)) : t));
    const swapped: LinearSolveParams = {
      jaxprs: { matvec: vecmat, vecmat: jaxprs.matvec, solve: transposeSolve, transposeSolve: jaxprs.solve },
      counts: {
        matvec: counts.vecmat,
        vecmat: counts.matvec,
        solve: counts.transposeSolve,
        transposeSolve: counts.solve,
      },
    };
    const out = bind(linearSolveP, [...known, ...given], swapped);
    const constants = operands.length - p.b.length;
    return [...new Array<null>(constants).fill(null), ...p.b.map((x, i) => (isLinear(x) ? out[i]! : null))];
  },
  batch: (operands, dims, params, axis, { batchJaxpr }) => {
    const { jaxprs, counts } = params;
    const d = partsOf(dims, counts);
    const bDims = d.b.map((k) => k !== null);
    const at = (flags: readonly boolean[]): (number | null)[] => flags.map((f) => (f ? 0 : null));
    // x and b have the same structure, and each of the functions maps one to the other: one set of batched leaves.
    let flags: readonly boolean[] = bDims;
    const mapped = (j: Jaxpr): boolean[] => j.outs.map((_, i) => flags[i] ?? true);
    for (;;) {
      const run = (j: Jaxpr | null, consts: readonly (number | null)[]): boolean[] =>
        j
          ? batchJaxpr(j, axis, [...consts, ...at(flags)], mapped(j))
              .dims.slice(0, flags.length)
              .map((k) => k !== null)
          : [...flags];
      const next = [
        run(jaxprs.solve, d.solve),
        run(jaxprs.matvec, d.matvec),
        run(jaxprs.transposeSolve, d.transposeSolve),
        run(jaxprs.vecmat, d.vecmat),
      ].reduce(orFlags, flags);
      if (sameFlags(next, flags)) break;
      flags = next;
    }
    const batched = (j: Jaxpr, consts: readonly (number | null)[]): Jaxpr =>
      batchJaxpr(j, axis, [...consts, ...at(flags)], mapped(j)).jaxpr;
    const p = partsOf(operands, counts);
    const b = p.b.map((x, i) => (flags[i] ? batchToFront(x, d.b[i]!, axis.size) : x));
    const next: LinearSolveParams = {
      jaxprs: {
        matvec: batched(jaxprs.matvec, d.matvec),
        vecmat: jaxprs.vecmat && batched(jaxprs.vecmat, d.vecmat),
        solve: batched(jaxprs.solve, d.solve),
        transposeSolve: jaxprs.transposeSolve && batched(jaxprs.transposeSolve, d.transposeSolve),
      },
      counts,
    };
    const outs = bind(linearSolveP, [...operands.slice(0, operands.length - b.length), ...b], next);
    return { outs, dims: at(mapped(jaxprs.solve)) };
  },
  lower: (ins: readonly Operand[], { jaxprs, counts }) => ({
    form: "call",
    jaxpr: solveJaxpr(ins, jaxprs.solve, counts),
  }),
  subJaxprs: ({ jaxprs }) => Object.values(jaxprs).filter((j): j is Jaxpr => j !== null),
  stepwise: (ins, { jaxprs, counts }) => {
    const p = partsOf(ins, counts);
    return evalJaxpr(jaxprs.solve, [], [...p.solve, ...p.b]);
  },
});

/** The solver as a jaxpr of all operands. */
function solveJaxpr(ins: readonly Operand[], solve: Jaxpr, counts: Counts): Jaxpr {
  const p = partsOf(ins, counts);
  const vars = (xs: readonly Operand[]): Var[] => xs.map((x) => new Var(x.aval));
  const n = counts.solve;
  const inVars = [
    ...vars(p.matvec),
    ...vars(p.vecmat),
    ...solve.inVars.slice(0, n),
    ...vars(p.transposeSolve),
    ...solve.inVars.slice(n),
  ];
  return makeJaxprOf([], inVars, solve.eqns, solve.outs);
}

function jvpSolve(
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  params: LinearSolveParams,
  { jvpJaxpr }: Interpreters,
) {
  const { jaxprs, counts } = params;
  const outs = bind(linearSolveP, primals, params);
  const [p, t] = [partsOf(primals, counts), partsOf(tangents, counts)];
  const [x, aux] = [outs.slice(0, p.b.length), outs.slice(p.b.length)];
  // dx = A⁻¹(db − dA x): the tangent of the matrix enters through matvec alone, whatever the solver captured.
  const nonzero = t.matvec.map((u) => !(u instanceof Zero));
  let rhs: Tangent[] = [...t.b];
  if (nonzero.includes(true)) {
    const { jaxpr, nonzeroOut } = jvpJaxpr(jaxprs.matvec, [...nonzero, ...x.map(() => false)], false);
    const moved = evalJaxpr(jaxpr, [], [...p.matvec, ...x, ...(t.matvec.filter((_, i) => nonzero[i]) as NDArray[])]);
    let next = x.length;
    rhs = rhs.map((db, i) => {
      if (!nonzeroOut[i]) return db;
      const dAx = moved[next++]!;
      return db instanceof Zero ? neg(dAx) : sub(db, dAx);
    });
  }
  const given = rhs.map((u, i) => instantiate(u instanceof Zero ? new Zero(tangentAval(p.b[i]!.aval)) : u));
  const dx = bind(linearSolveP, [...primals.slice(0, primals.length - p.b.length), ...given], params);
  return { primals: outs, tangents: [...dx.slice(0, x.length), ...withoutTangents(aux)] };
}

const withoutTangents = (xs: readonly NDArray[]): Zero[] => xs.map((x) => new Zero(tangentAval(x.aval)));

// ---------------------------------------------------------------- user functions

/** What the user functions need of the transforms; the entry point of the room supplies it. */
export type ImplicitInterpreters = Pick<Interpreters, "transposeJaxpr" | "jvpJaxpr">;

/** A solver of linear systems: receives the matrix as a function, and the right-hand side. */
export type Solver<T> = (matvec: (x: Arrays<T>) => Arrays<T>, b: Arrays<T>) => unknown;

export interface LinearSolveOptions<T> {
  /** Solves the transposed system; reverse mode needs it unless the matrix is symmetric. */
  readonly transposeSolve?: Solver<T> | null | undefined;
  readonly symmetric?: boolean | undefined;
  /** Whether the solvers give `[x, aux]`; aux is any tree, without derivative. */
  readonly hasAux?: boolean | undefined;
}
interface WithAux {
  readonly hasAux: true;
}

/** A traced function on the leaves of vectors; its jaxpr takes the captured values first. */
interface Traced {
  readonly jaxpr: Jaxpr;
  readonly consts: readonly NDArray[];
}

/** Traces a function from trees like `def` to trees like `def`. */
const traceVector = (f: AnyFunction, def: TreeDef, avals: readonly Aval[], transform: string, name: string): Traced =>
  traceSolver(f, def, avals, transform, name, false);

interface TracedSolver extends Traced {
  /** The structure of what it gives besides the solution. */
  readonly auxDef: TreeDef | null;
}
/** The same for a function that may give something besides. */
function traceSolver(
  f: AnyFunction,
  def: TreeDef,
  avals: readonly Aval[],
  transform: string,
  name: string,
  hasAux: boolean,
): TracedSolver {
  let outDef!: TreeDef;
  let auxDef: TreeDef | null = null;
  const { jaxpr, consts } = traceToJaxpr(
    (...xs) => {
      const result = f(unflatten(def, xs));
      if (hasAux && !(Array.isArray(result) && result.length === 2))
        throw new TreeError("AuxPair", {
          what: `${transform}: with hasAux, ${name} returned no pair`,
          why: "its result is [solution, aux]",
          fix: "return a list of two, or leave hasAux out",
        });
      const [x, aux] = hasAux ? (result as readonly unknown[]) : [result];
      const flat = flattenResult(x, transform, f);
      outDef = flat.def;
      if (!hasAux) return flat.leaves;
      const besides = flattenResult(aux, transform, f);
      auxDef = besides.def;
      return [...flat.leaves, ...besides.leaves];
    },
    avals,
    name,
  );
  if (!outDef.equals(def))
    throw new TreeError("LinearSolveTree", {
      what: `${transform}: ${name} gives another structure than its argument:\n    ${treeDifferences(def, outDef).join("\n    ")}`,
      why: "vectors, right-hand sides and solutions have one structure",
      fix: "return a tree like the argument",
    });
  return { jaxpr: hoistConsts(jaxpr), consts, auxDef };
}

/** Results of a solver as its caller gets them. */
const solution = (outs: readonly NDArray[], def: TreeDef, n: number, auxDef: TreeDef | null): unknown =>
  auxDef === null ? unflatten(def, outs) : [unflatten(def, outs.slice(0, n)), unflatten(auxDef, outs.slice(n))];

/** A traced function as one that users' solvers can call on trees. */
const callable =
  ({ jaxpr, consts }: Traced, def: TreeDef, transform: string) =>
  (x: unknown): unknown =>
    unflatten(def, evalJaxpr(jaxpr, [], [...consts, ...flattenTree(x, transform, "the vector").leaves]));

/**
 * Solves A x = b with a solver of your own, differentiated implicitly.
 *
 * @param matvec the linear function A.
 * @param b the right-hand side, a tree like x.
 * @param solve `(matvec, b) => x`; never differentiated itself.
 * @param transposeSolve `(vecmat, b) => x` for the transposed system; needed for reverse mode unless `symmetric`.
 * @example
 * lax.customLinearSolve((x) => x.mul(4), np.array(2), (_, b) => b.div(4), { symmetric: true }) // 0.5
 */
export interface CustomLinearSolve {
  <T, A>(
    matvec: (x: Arrays<T>) => unknown,
    b: T,
    solve: SolverWithAux<T, A>,
    options: LinearSolveOptions<T> & WithAux,
  ): [x: Arrays<T>, aux: Arrays<A>];
  <T, A>(
    matvec: (x: Arrays<T>) => unknown,
    b: T,
    solve: SolverWithAux<T, A>,
    transposeSolve: Solver<T> | null,
    options: LinearSolveOptions<T> & WithAux,
  ): [x: Arrays<T>, aux: Arrays<A>];
  <T>(
    matvec: (x: Arrays<T>) => unknown,
    b: T,
    solve: Solver<T>,
    transposeSolve?: Solver<T> | null | LinearSolveOptions<T>,
    options?: LinearSolveOptions<T>,
  ): Arrays<T>;
}
type SolverWithAux<T, A> = (matvec: (x: Arrays<T>) => Arrays<T>, b: Arrays<T>) => readonly [x: unknown, aux: A];

export const makeCustomLinearSolve =
  ({ transposeJaxpr }: ImplicitInterpreters): CustomLinearSolve =>
  (matvec: unknown, b: unknown, solve: unknown, transposeSolve?: unknown, options?: object) => {
    const name = "customLinearSolve";
    const named = (
      typeof transposeSolve === "object" && transposeSolve !== null
        ? transposeSolve
        : { ...options, ...(transposeSolve ? { transposeSolve } : {}) }
    ) as LinearSolveOptions<never>;
    checkOptions(name, named, ["transposeSolve", "symmetric", "hasAux"]);
    checkCallable(name, matvec);
    checkCallable(name, solve);
    const { leaves, def } = flattenTree(b, name, "b");
    const avals = leaves.map((x) => x.aval);
    const { hasAux = false } = named;
    const solverOf = (f: AnyFunction, matrix: Traced, label: string): TracedSolver =>
      traceSolver((rhs: unknown) => f(callable(matrix, def, name), rhs) as unknown, def, avals, name, label, hasAux);
    const forward = traceVector(matvec as AnyFunction, def, avals, name, "matvec");
    const solver = solverOf(solve as AnyFunction, forward, "solve");
    const backward = named.symmetric
      ? forward
      : named.transposeSolve
        ? transposed(forward, avals, transposeJaxpr)
        : null;
    const backSolver = named.symmetric
      ? solver
      : backward && solverOf(named.transposeSolve as AnyFunction, backward, "transposeSolve");
    const params: LinearSolveParams = {
      jaxprs: {
        matvec: forward.jaxpr,
        vecmat: backward?.jaxpr ?? null,
        solve: solver.jaxpr,
        transposeSolve: backSolver?.jaxpr ?? null,
      },
      counts: {
        matvec: forward.consts.length,
        vecmat: backward?.consts.length ?? 0,
        solve: solver.consts.length,
        transposeSolve: backSolver?.consts.length ?? 0,
      },
    };
    const operands = [
      ...forward.consts,
      ...(backward?.consts ?? []),
      ...solver.consts,
      ...(backSolver?.consts ?? []),
      ...leaves,
    ];
    return solution(bind(linearSolveP, operands, params), def, leaves.length, solver.auxDef) as never;
  };

const transposed = (
  { jaxpr, consts }: Traced,
  avals: readonly Aval[],
  transposeJaxpr: Interpreters["transposeJaxpr"],
): Traced => ({
  jaxpr: transposeJaxpr(
    jaxpr,
    [...consts.map(() => false), ...avals.map(() => true)],
    avals.map(() => true),
  ),
  consts,
});

// ---------------------------------------------------------------- roots

interface RootParams {
  /** (captured by f, captured by solve, captured by tangentSolve, initial guess) → solution, and what else there is. */
  readonly solve: Jaxpr;
  /** The same captured values and a point → f there. */
  readonly f: Jaxpr;
  /** The same captured values, a point and a right-hand side → the solution of the linearized system. */
  readonly linearSolve: Jaxpr;
  readonly numCaptured: number;
}

export const customRootP: Primitive<Many, RootParams> = /* @__PURE__ */ definePrimitive<Many, RootParams>({
  name: "custom_root",
  kind: "control",
  infer: (_, { solve }) => outAvals(solve),
  reference: (ins, { solve }, _, context) => context.program(solve)(ins),
  jvp: (primals, tangents, params, { jvpJaxpr }) => {
    const { f, linearSolve, numCaptured } = params;
    const outs = bind(customRootP, primals, params);
    const n = primals.length - numCaptured;
    const [xs, aux] = [outs.slice(0, n), outs.slice(n)];
    const captured = primals.slice(0, numCaptured);
    // The solution does not depend on the initial guess, only on what f captured.
    const nonzero = tangents.slice(0, numCaptured).map((t) => !(t instanceof Zero));
    if (!nonzero.includes(true)) return { primals: outs, tangents: withoutTangents(outs) };
    const { jaxpr } = jvpJaxpr(f, [...nonzero, ...xs.map(() => false)], true);
    const rhs = evalJaxpr(
      jaxpr,
      [],
      [...captured, ...xs, ...(tangents.slice(0, numCaptured).filter((_, i) => nonzero[i]) as NDArray[])],
    ).slice(xs.length);
    const dx = evalJaxpr(linearSolve, [], [...captured, ...xs, ...rhs]).map((t) => neg(t));
    return { primals: outs, tangents: [...dx, ...withoutTangents(aux)] };
  },
  transpose: "nonlinear",
  batch: (operands, dims, { solve, f, linearSolve, numCaptured }, axis, { batchJaxpr }) => {
    const n = operands.length - numCaptured;
    const captured = dims.slice(0, numCaptured);
    const point = new Array<number>(n).fill(0);
    const init = operands.slice(numCaptured).map((x, i) => batchToFront(x, dims[numCaptured + i]!, axis.size));
    const params: RootParams = {
      solve: batchJaxpr(solve, axis, [...captured, ...point], true).jaxpr,
      f: batchJaxpr(f, axis, [...captured, ...point], true).jaxpr,
      linearSolve: batchJaxpr(linearSolve, axis, [...captured, ...point, ...point], true).jaxpr,
      numCaptured,
    };
    const outs = bind(customRootP, [...operands.slice(0, numCaptured), ...init], params);
    return { outs, dims: outs.map(() => 0) };
  },
  subJaxprs: ({ solve, f, linearSolve }) => [solve, f, linearSolve],
  lower: (_, { solve }) => ({ form: "call", jaxpr: solve }),
  inline: ({ solve }) => solve,
  stepwise: (ins, { solve }) => evalJaxpr(solve, [], ins),
});

/**
 * Finds a root, f(x) = 0, with a solver of your own, differentiated through the implicit function theorem with respect
 * to what `f` captures.
 *
 * @param f `(x) => residual`, of the structure of x.
 * @param solve `(f, initialGuess) => x`; never differentiated itself.
 * @param tangentSolve `(g, y) => x` solves the linear system g(x) = y, where g is f's derivative at the root.
 * @param options with `hasAux`, `solve` gives `[x, aux]`, and so does the call; aux has no derivative.
 * @example
 * grad((a) => lax.customRoot((x) => x.mul(x).sub(a), np.array(1),
 *   (f, x0) => lax.foriLoop(0, 20, (_, x) => x.sub(f(x).div(x.mul(2))), x0), (g, y) => y.div(g(np.array(1)))))(np.array(4)) // 0.25
 */
export interface CustomRoot {
  <T, A>(
    f: (x: Arrays<T>) => unknown,
    initialGuess: T,
    solve: (f: (x: Arrays<T>) => Arrays<T>, initialGuess: Arrays<T>) => readonly [x: unknown, aux: A],
    tangentSolve: (g: (x: Arrays<T>) => Arrays<T>, y: Arrays<T>) => unknown,
    options: WithAux,
  ): [x: Arrays<T>, aux: Arrays<A>];
  <T>(
    f: (x: Arrays<T>) => unknown,
    initialGuess: T,
    solve: (f: (x: Arrays<T>) => Arrays<T>, initialGuess: Arrays<T>) => unknown,
    tangentSolve: (g: (x: Arrays<T>) => Arrays<T>, y: Arrays<T>) => unknown,
    options?: { readonly hasAux?: boolean | undefined },
  ): Arrays<T>;
}

export const makeCustomRoot =
  ({ jvpJaxpr }: ImplicitInterpreters): CustomRoot =>
  (
    f: unknown,
    initialGuess: unknown,
    solve: unknown,
    tangentSolve: unknown,
    options: { readonly hasAux?: boolean | undefined } = {},
  ) => {
    const name = "customRoot";
    for (const g of [f, solve, tangentSolve]) checkCallable(name, g);
    checkOptions(name, options, ["hasAux"]);
    const { leaves, def } = flattenTree(initialGuess, name, "the initial guess");
    const avals = leaves.map((x) => x.aval);
    const n = avals.length;
    const residual = traceVector(f as AnyFunction, def, avals, name, "f");
    const solver = traceSolver(
      (x0: unknown) => (solve as AnyFunction)(callable(residual, def, name), x0) as unknown,
      def,
      avals,
      name,
      "solve",
      options.hasAux ?? false,
    );
    const nf = residual.consts.length;
    const derivative = jvpJaxpr(
      residual.jaxpr,
      [...residual.consts.map(() => false), ...avals.map(() => true)],
      true,
    ).jaxpr;
    // (point, right-hand side) → solution of the linearized system, with the user's solver.
    const linear = traceToJaxpr(
      (...xs) => {
        const [point, rhs] = [xs.slice(0, n), xs.slice(n)];
        const g = (v: unknown): unknown => {
          const { leaves: vs } = flattenTree(v, name, "the vector");
          return unflatten(def, evalJaxpr(derivative, [], [...residual.consts, ...point, ...vs]).slice(n));
        };
        return flattenResult((tangentSolve as AnyFunction)(g, unflatten(def, rhs)), name, tangentSolve).leaves;
      },
      [...avals, ...avals],
      "tangentSolve",
    );
    const captured = [...residual.consts, ...solver.consts, ...linear.consts];
    const pad = (j: Jaxpr, before: number, mine: number): Jaxpr => {
      const vars = (from: number, to: number): Var[] => captured.slice(from, to).map((x) => new Var(x.aval));
      return {
        ...j,
        inVars: [
          ...vars(0, before),
          ...j.inVars.slice(0, mine),
          ...vars(before + mine, captured.length),
          ...j.inVars.slice(mine),
        ],
      };
    };
    const params: RootParams = {
      f: pad(residual.jaxpr, 0, nf),
      solve: pad(solver.jaxpr, nf, solver.consts.length),
      linearSolve: pad(hoistConsts(linear.jaxpr), nf + solver.consts.length, linear.consts.length),
      numCaptured: captured.length,
    };
    return solution(bind(customRootP, [...captured, ...leaves], params), def, n, solver.auxDef) as never;
  };
