/** JSON Lines: one JSON value on each line, as in https://jsonlines.org. */
import { type Either, isLeft, left, right } from "fp-ts/lib/Either.js";
import { ArgumentError, type DataError } from "../core/problem.ts";
import { type Bytes, malformed, orThrow, textOf } from "./bytes.ts";

/**
 * Reads the values of a file in JSON Lines, or says which line is wrong. Empty lines are left out.
 *
 * @param text the lines, or their bytes in UTF-8.
 * @example
 * data.parseJsonLines('{"x": 1}\n{"x": 2}\n').right // [{ x: 1 }, { x: 2 }]
 */
export function parseJsonLines(text: string | Bytes): Either<DataError, unknown[]> {
  const given = textOf("parseJsonLines", text);
  if (isLeft(given)) return given;
  const values: unknown[] = [];
  for (const [i, line] of given.right.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      values.push(JSON.parse(line));
    } catch (error) {
      return left(
        malformed(
          "parseJsonLines",
          "NotJson",
          `line ${i + 1}: ${(error as Error).message}`,
          "every line holds one whole JSON value",
          "correct the line; a file with one value over many lines is for JSON.parse",
        ),
      );
    }
  }
  return right(values);
}

/**
 * The values of a file in JSON Lines.
 *
 * @param text the lines, or their bytes in UTF-8.
 * @throws DataError if a line is not JSON, with its number; `parseJsonLines` gives it instead.
 * @example
 * data.readJsonLines("1\n[2, 3]\n") // [1, [2, 3]]
 */
export const readJsonLines = (text: string | Bytes): unknown[] => orThrow(parseJsonLines(text));

/**
 * A file in JSON Lines with some values.
 *
 * @throws ArgumentError if a value, such as a function, has no form in JSON.
 * @example
 * data.formatJsonLines([{ x: 1 }, { x: 2 }]) // one object on each of two lines
 */
export function formatJsonLines(values: Iterable<unknown>): string {
  let text = "";
  for (const value of values) {
    const line = JSON.stringify(value) as string | undefined;
    if (line === undefined)
      throw new ArgumentError("NotJson", {
        what: `formatJsonLines: a ${typeof value}`,
        why: "JSON has null, booleans, numbers, strings, arrays and objects",
        fix: "convert the value first; null stands for nothing",
      });
    text += `${line}\n`;
  }
  return text;
}
