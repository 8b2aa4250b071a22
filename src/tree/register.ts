/** Registering classes as containers, in the other ways that JAX has. */
import { ArgumentError } from "../core/problem.ts";
import { type KeyEntry, describeValue, registerDataclass as registerFields, registerPytreeNode } from "../core/tree.ts";

// A class of whatever constructor; its instances are what the caller says.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type ClassOf<T = any> = abstract new (...args: never[]) => T;
type Flattened<Aux> = readonly [children: readonly unknown[], aux: Aux];
type FlattenedWithKeys<Aux> = readonly [children: readonly (readonly [string | KeyEntry, unknown])[], aux: Aux];

/**
 * Registers a class whose children have keys, for paths.
 *
 * @param flattenWithKeys gives pairs of key (a name or a `KeyEntry`) and child, and auxiliary data.
 * @param flatten the same without keys, where it is cheaper.
 * @example
 * class Point { constructor(x, y) { this.x = x; this.y = y; } }
 * const flatten = (p) => [[["x", p.x], ["y", p.y]], null];
 * treeUtil.registerPytreeWithKeys(Point, flatten, (_, [x, y]) => new Point(x, y));
 * treeUtil.treeLeavesWithPath(new Point(1, 2)).map(([path]) => treeUtil.keystr(path)) // [".x", ".y"]
 */
export function registerPytreeWithKeys<T, Aux>(
  nodetype: ClassOf<T>,
  flattenWithKeys: (node: T) => FlattenedWithKeys<Aux>,
  unflatten: (aux: Aux, children: readonly unknown[]) => T,
  flatten?: (node: T) => Flattened<Aux>,
): void {
  const withoutKeys = (node: T): Flattened<Aux> => {
    const [pairs, aux] = flattenWithKeys(node);
    return [pairs.map(([, child]) => child), aux];
  };
  registerPytreeNode<T, Aux>(nodetype, flatten ?? withoutKeys, unflatten, (node) =>
    flattenWithKeys(node)[0].map(([key]) => key),
  );
}

/** A class that comes apart by its own methods. */
interface NodeClass<T> extends ClassOf<T> {
  treeUnflatten(aux: unknown, children: readonly unknown[]): T;
}

function unflattenOf<T>(name: string, cls: ClassOf<T>, method: string): NodeClass<T>["treeUnflatten"] {
  const own = (cls as Partial<NodeClass<T>>).treeUnflatten;
  const { prototype } = cls as { prototype?: Record<string, unknown> };
  if (typeof own !== "function" || typeof prototype?.[method] !== "function")
    throw new ArgumentError("NodeClass", {
      what: `${name}: ${describeValue(cls)} has not both a method ${method}() and a static method treeUnflatten(aux, children)`,
      why: "they say how instances come apart and together",
      fix: "define both, or register the class with treeUtil.registerPytreeNode(cls, flatten, unflatten)",
    });
  return (aux, children) => own.call(cls, aux, children);
}

/**
 * Registers a class with a method `treeFlatten()`, which gives `[children, aux]`, and a static `treeUnflatten(aux,
 * children)`. Gives the class back, so it can decorate one.
 */
export function registerPytreeNodeClass<C extends ClassOf>(cls: C): C {
  const unflatten = unflattenOf("registerPytreeNodeClass", cls, "treeFlatten");
  registerPytreeNode<{ treeFlatten(): Flattened<unknown> }, unknown>(cls, (node) => node.treeFlatten(), unflatten);
  return cls;
}

/** `registerPytreeNodeClass` for a class whose `treeFlattenWithKeys()` gives `[[[key, child], …], aux]`. */
export function registerPytreeWithKeysClass<C extends ClassOf>(cls: C): C {
  const unflatten = unflattenOf("registerPytreeWithKeysClass", cls, "treeFlattenWithKeys");
  type Node = { treeFlattenWithKeys(): FlattenedWithKeys<unknown>; treeFlatten?(): Flattened<unknown> };
  const { treeFlatten } = (cls as { prototype: Partial<Node> }).prototype;
  registerPytreeWithKeys<Node, unknown>(
    cls,
    (node) => node.treeFlattenWithKeys(),
    unflatten,
    treeFlatten ? (node) => treeFlatten.call(node) : undefined,
  );
  return cls;
}

/**
 * Registers a class whose instances have no leaves: they are part of the structure, and jit traces anew for another one.
 * They are compared by their `equals` method if they have one, else by identity.
 *
 * @example
 * class Mode { constructor(name) { this.name = name; } equals(other) { return this.name === other.name; } }
 * treeUtil.registerStatic(Mode);
 * treeUtil.treeLeaves([new Mode("train"), 1]) // [1]
 */
export function registerStatic<C extends ClassOf>(cls: C): C {
  registerPytreeNode<unknown, unknown>(
    cls,
    (node) => [[], node],
    (node) => node,
  );
  return cls;
}

export interface DataclassOptions {
  /** Fields that are children. */
  readonly dataFields: readonly string[];
  /** Fields that belong to the structure. */
  readonly metaFields?: readonly string[];
  /** Fields that are left out: an instance put together again has none of them. */
  readonly dropFields?: readonly string[];
}

/**
 * Registers a class by the names of its fields: some are children, some belong to the structure. Instances are put together
 * without their constructor. JavaScript does not know a class's fields, so those that hold arrays must be named.
 *
 * @example
 * class Layer { constructor(w, activation) { this.w = w; this.activation = activation; } }
 * treeUtil.registerDataclass(Layer, ["w"], ["activation"]);
 * treeUtil.treeMap((x) => x + 1, new Layer(1, "relu")).w // 2
 */
export function registerDataclass<C extends ClassOf>(
  nodetype: C,
  dataFields: readonly string[] | DataclassOptions,
  metaFields: readonly string[] = [],
  options: { readonly dropFields?: readonly string[] } = {},
): C {
  const isList = (x: typeof dataFields): x is readonly string[] => Array.isArray(x);
  const given: DataclassOptions = isList(dataFields) ? { dataFields, metaFields, ...options } : dataFields;
  const { dataFields: data, metaFields: meta = [], dropFields = [] } = given ?? {};
  if (!Array.isArray(data))
    throw new ArgumentError("DataclassFields", {
      what: `registerDataclass: the data fields of ${nodetype.name} are not named`,
      why: "JavaScript does not know the fields of a class",
      fix: `registerDataclass(${nodetype.name}, ["w", "b"], ["activation"])`,
    });
  const twice = [...data, ...meta].find((f, i, all) => all.indexOf(f) !== i || dropFields.includes(f));
  if (twice !== undefined)
    throw new ArgumentError("DataclassFields", {
      what: `registerDataclass: field ${JSON.stringify(twice)} of ${nodetype.name} is named twice`,
      why: "a field is a child, part of the structure, or left out",
      fix: "name every field once",
    });
  registerFields(nodetype as ClassOf<object>, { dataFields: data, metaFields: meta });
  return nodetype;
}
