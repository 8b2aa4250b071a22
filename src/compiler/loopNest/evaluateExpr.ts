/**
 * The meaning of scalar expressions, run slowly: each node once per environment, floats rounded after every operation.
 * Tests and `explain` compare code against it.
 */
import { type Index, type IndexVar, evaluateIndex } from "../../core/indexing.ts";
import {
  type BinaryOp,
  type Buffer,
  type CompareOp,
  type Expr,
  type Local,
  type ReduceOp,
  type Reduction,
  type ScalarType,
  type UnaryOp,
  bitcastValue,
  constant,
  convertValue,
} from "../../core/scalar.ts";
import { unreachable } from "../../core/problem.ts";

/** Where an expression's leaves get their values. */
export interface Environment {
  readonly variables: Map<IndexVar, number>;
  readonly locals: Map<Local, number>;
  /** A stored scalar; out of bounds is the caller's error to report. */
  readonly load: (buffer: Buffer, index: number) => number;
}

/** The value of an expression; booleans are 0 and 1. */
export function evaluateExpr(e: Expr, env: Environment): number {
  return new Evaluation(env).value(e);
}
/** The value of an index. */
export const evaluateIndexIn = (x: Index, env: Environment): number => new Evaluation(env).index(x);

class Evaluation {
  readonly #env: Environment;
  readonly #known = new Map<Expr, number>();
  readonly #reduced = new Map<Reduction, readonly number[]>();
  constructor(env: Environment) {
    this.#env = env;
  }

  value(e: Expr): number {
    if (e.kind === "const") return e.value;
    const known = this.#known.get(e);
    if (known !== undefined) return known;
    const v = this.#compute(e);
    this.#known.set(e, v);
    return v;
  }

  index(x: Index): number {
    return evaluateIndex(x, (a) =>
      a.kind === "var"
        ? (this.#env.variables.get(a) ?? unreachable(`loop variable ${a.name} has no value`))
        : this.value(a.expr),
    );
  }

  #compute(e: Expr): number {
    switch (e.kind) {
      case "const":
        return e.value;
      case "index":
        return this.index(e.index) | 0;
      case "load":
        return this.#env.load(e.buffer, this.index(e.index));
      case "unary":
        return rounded(e.type, applyUnary(e.op, e.x.type, this.value(e.x)));
      case "binary":
        return rounded(e.type, applyBinary(e.op, e.type, this.value(e.x), this.value(e.y)));
      case "compare":
        return Number(applyCompare(e.op, this.value(e.x), this.value(e.y)));
      case "select":
        return this.value(e.condition) ? this.value(e.x) : this.value(e.y);
      case "convert":
        return convertValue(this.value(e.x), e.x.type, e.type);
      case "bitcast":
        return bitcastValue(this.value(e.x), e.x.type, e.type);
      case "local":
        return this.#env.locals.get(e.local) ?? unreachable(`local ${e.local.name} has no value`);
      case "reduced": {
        let lanes = this.#reduced.get(e.reduction);
        if (!lanes) this.#reduced.set(e.reduction, (lanes = this.#reduce(e.reduction)));
        return lanes[e.lane]!;
      }
    }
  }

  #reduce({ vars, types, init, combine, body }: Reduction): readonly number[] {
    let lanes: readonly number[] = init;
    const variables = new Map(this.#env.variables);
    const env: Environment = { ...this.#env, variables };
    const step = (): void => {
      const inner = new Evaluation(env);
      const next = body.map((b) => inner.value(b));
      lanes =
        typeof combine === "function"
          ? combine(
              lanes.map((v, i) => constant(types[i]!, v)),
              next.map((v, i) => constant(types[i]!, v)),
            ).map((x) => inner.value(x))
          : [combineValues(combine, types[0]!, lanes[0]!, next[0]!)];
    };
    const loop = (depth: number): void => {
      const v = vars[depth];
      if (!v) return step();
      for (let i = 0; i < v.extent; i++) {
        variables.set(v, i);
        loop(depth + 1);
      }
    };
    loop(0);
    return lanes;
  }
}

export const combineValues = (op: ReduceOp, type: ScalarType, a: number, b: number): number =>
  rounded(type, applyBinary(op, type, a, b));

/** The result of an operation as its type holds it. */
const rounded = (type: ScalarType, v: number): number =>
  type === "f32" ? Math.fround(v) : type === "i32" ? v | 0 : type === "u32" ? v >>> 0 : type === "bool" ? Number(v) : v;

function roundHalfToEven(x: number): number {
  const r = Math.round(x);
  const even = r - x === 0.5 && r % 2 !== 0 ? r - 1 : r;
  return even === 0 ? (x < 0 || Object.is(x, -0) ? -0 : 0) : even;
}

function popcount(x: number): number {
  let n = 0;
  for (let v = x >>> 0; v !== 0; v &= v - 1) n++;
  return n;
}

export function applyUnary(op: UnaryOp, type: ScalarType, x: number): number {
  switch (op) {
    case "neg":
      return -x;
    case "abs":
      return Math.abs(x);
    case "round":
      return roundHalfToEven(x);
    case "not":
      return type === "bool" ? 1 - x : ~x;
    case "clz":
      return Math.clz32(x);
    case "popcount":
      return popcount(x);
    case "isNaN":
      return Number(Number.isNaN(x));
    case "exp2":
      return 2 ** x;
    default:
      return Math[op](x);
  }
}

export function applyBinary(op: BinaryOp, type: ScalarType, a: number, b: number): number {
  const float = type === "f32" || type === "f64";
  switch (op) {
    case "div":
      if (float) return a / b;
      return b === 0 ? unreachable("a whole number is divided by 0") : Math.trunc(a / b);
    case "rem":
      if (float) return a % b;
      return b === 0 ? unreachable("a whole number is divided by 0") : a % b;
    case "shl":
      return a << b;
    case "shr":
      return type === "u32" ? a >>> b : a >> b;
    case "pow":
      return power(a, b);
    case "atan2":
      return Math.atan2(a, b);
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return float ? a * b : Math.imul(a, b);
    case "min":
      return Math.min(a, b);
    case "max":
      return Math.max(a, b);
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
  }
}

/** IEEE's pow: unlike JavaScript's, 1^NaN and (−1)^±∞ are 1. */
const power = (a: number, b: number): number => (a === 1 || (a === -1 && !Number.isFinite(b) && b === b) ? 1 : a ** b);

export function applyCompare(op: CompareOp, a: number, b: number): boolean {
  switch (op) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "lt":
      return a < b;
    case "le":
      return a <= b;
    case "gt":
      return a > b;
    case "ge":
      return a >= b;
  }
}
