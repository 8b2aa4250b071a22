// Compares the outputs of an executed notebook with those that are committed. What a cell prints is compared word for word;
// numbers in it may differ a little, because devices and engines round differently; pictures and times only have to be there.
//
// Numbers written as integers must be equal; others may differ by `relativeTolerance` of the larger one, or by
// `absoluteTolerance`. A number with a unit of time behind it is a time. A cell with the tag "varies" shows something of the
// machine: only the kinds of its outputs are compared.

export const relativeTolerance = 1e-4;
export const absoluteTolerance = 1e-6;

const number = /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/g;
const time = /(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s?(?:ms|µs|ns|min|s)\b/g;
const pictures = [/<svg[\s\S]*?<\/svg>/g, /data:image\/[\w+]+;base64,[\w+/=]+/g];
// Its time shows in how much a bar shows of what is left.
const remaining = /(?:, )?<time> to go/g;

const colours = /\u001b\[[\d;]*m/g;

const joined = (text) => (Array.isArray(text) ? text.join("") : String(text ?? ""));
const isPicture = (type) => type.startsWith("image/");

/** Text with pictures and times replaced by their kind. */
function normalized(text) {
  let plain = joined(text).replace(colours, "");
  for (const picture of pictures) plain = plain.replace(picture, "<picture>");
  // A long time is told in minutes and seconds, a short one in seconds alone.
  return plain
    .replace(time, "<time>")
    .replace(/<time>(?: <time>)+/g, "<time>")
    .replace(remaining, "")
    .trimEnd();
}

const isInteger = (text) => /^[-+]?\d+$/.test(text);

function isSameNumber(a, b) {
  if (isInteger(a) && isInteger(b)) return Number(a) === Number(b);
  const [x, y] = [Number(a), Number(b)];
  return Math.abs(x - y) <= Math.max(absoluteTolerance, relativeTolerance * Math.max(Math.abs(x), Math.abs(y)));
}

/** Whether two texts say the same, but for rounding, times and what is in pictures. */
export function isSameText(a, b) {
  const [left, right] = [normalized(a), normalized(b)];
  if (left === right) return true;
  const words = (text) => text.replace(number, "#").replace(/\s+/g, " ");
  const numbers = (text) => text.match(number) ?? [];
  if (words(left) !== words(right)) return false;
  const theirs = numbers(right);
  return numbers(left).every((n, i) => isSameNumber(n, theirs[i]));
}

/** Outputs with the pieces of a stream joined: where a kernel cuts them is chance. */
function mergedOutputs(cell) {
  const merged = [];
  for (const output of cell.outputs ?? []) {
    const last = merged.at(-1);
    if (output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name)
      last.text = joined(last.text) + joined(output.text);
    else merged.push({ ...output });
  }
  return merged;
}

const describe = (output) => {
  if (output.output_type === "stream") return joined(output.text);
  if (output.output_type === "error") return `${output.ename}: ${output.evalue}`;
  return joined(output.data?.["text/plain"] ?? `[${Object.keys(output.data ?? {}).join(", ")}]`);
};
const kindOf = (output) =>
  [output.output_type, output.name ?? "", ...Object.keys(output.data ?? {}).sort()].filter(Boolean).join(" ");

function isSameOutput(a, b) {
  if (kindOf(a) !== kindOf(b)) return false;
  if (a.output_type === "stream") return isSameText(a.text, b.text);
  if (a.output_type === "error") return a.ename === b.ename && isSameText(a.evalue, b.evalue);
  return Object.keys(a.data).every((type) => isPicture(type) || isSameText(a.data[type], b.data[type]));
}

const isCode = (cell) => cell.cell_type === "code";
const varies = (cell) => (cell.metadata?.tags ?? []).includes("varies");

/** One difference: the number of the code cell, from 1, and what it showed before and shows now. */
const difference = (cell, number, old, now) => ({ cell: number, source: joined(cell.source), old, now });

/** Where two executions of the same notebook differ. */
export function differences(committed, executed) {
  const [before, after] = [committed.cells.filter(isCode), executed.cells.filter(isCode)];
  if (before.length !== after.length)
    return [difference({ source: "" }, 0, `${before.length} code cells`, `${after.length} code cells`)];
  return before.flatMap((cell, i) => {
    const [old, now] = [mergedOutputs(cell), mergedOutputs(after[i])];
    const same =
      old.length === now.length &&
      old.every((o, k) => (varies(cell) ? kindOf(o) === kindOf(now[k]) : isSameOutput(o, now[k])));
    const text = (outputs) => outputs.map((o) => `[${kindOf(o)}]\n${describe(o)}`).join("\n") || "(nothing)";
    return same ? [] : [difference(cell, i + 1, text(old), text(now))];
  });
}

/**
 * Where the same notebook under another kernel differs: what cells print and display on purpose must be the same, in the forms
 * that both kernels have. The value of a last line is left out, which each kernel shows in its own way.
 */
export function differencesAcrossKernels(committed, executed) {
  const others = executed.cells.filter(isCode);
  return committed.cells.filter(isCode).flatMap((cell, i) => {
    const printed = (c) =>
      mergedOutputs(c)
        .filter((o) => o.output_type === "stream" && o.name === "stdout")
        .map((o) => joined(o.text))
        .join("");
    const displayed = (c) => mergedOutputs(c).filter((o) => o.output_type === "display_data");
    const [old, now] = [printed(cell), printed(others[i])];
    const lines = (text) => text.trimEnd().split("\n");
    // The other kernel may print the value of the last line behind.
    const beginning = old === "" ? "" : lines(now).slice(0, lines(old).length).join("\n");
    const [shown, shownNow] = [displayed(cell), displayed(others[i])];
    const sameForms = (a, b) =>
      Object.keys(a.data).every((t) => !(t in b.data) || isPicture(t) || isSameText(a.data[t], b.data[t]));
    const same =
      varies(cell) ||
      (isSameText(old, beginning) &&
        shown.length === shownNow.length &&
        shown.every((o, k) => sameForms(o, shownNow[k])));
    const text = (stream, outputs) => [stream, ...outputs.map(describe)].join("\n") || "(nothing)";
    return same ? [] : [difference(cell, i + 1, text(old, shown), text(now, shownNow))];
  });
}
