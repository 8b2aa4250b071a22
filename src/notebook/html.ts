/** HTML fragments. All text goes through `escape`; numbers of an array get short forms. */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it may stand between tags and in attributes. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => ENTITIES[c]!);

export const preformatted = (text: string): string => `<pre>${escape(text)}</pre>`;

/** A row of cells that are HTML already. */
export const row = (cells: readonly string[], tag: "td" | "th" = "td"): string =>
  `<tr>${cells.map((c) => `<${tag} style="text-align: left">${c}</${tag}>`).join("")}</tr>`;

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<table><thead>${row(head, "th")}</thead><tbody>${rows.map((cells) => row(cells)).join("")}</tbody></table>`;

const SIGNIFICANT_DIGITS = 5;

/** A number with few digits: `0.33333`, `1.5e-7`, `nan`. */
export function shortNumber(x: number): string {
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return String(x);
  return Number.isFinite(x)
    ? String(Number(x.toPrecision(SIGNIFICANT_DIGITS)))
    : Number.isNaN(x)
      ? "nan"
      : x > 0
        ? "inf"
        : "-inf";
}

const MILLISECONDS = { second: 1000, minute: 60_000 } as const;
/** `0.4 s`, `2 min 5 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < MILLISECONDS.minute) return `${(milliseconds / MILLISECONDS.second).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / MILLISECONDS.second);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
