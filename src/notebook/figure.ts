/** Figures: pictures that know how they look in a notebook and what they are without one. */
import type { MimeBundle } from "../core/display.ts";

/** A drawn picture. */
export class Figure {
  /** The picture as SVG, complete in itself. */
  readonly svg: string;
  /** The picture as a PNG file, for images; null for curves. */
  readonly png: Uint8Array | null;
  readonly #text: string;
  constructor(svg: string, text: string, png: Uint8Array | null = null) {
    this.svg = svg;
    this.png = png;
    this.#text = text;
  }
  /** What the figure shows, in one line. */
  toString(): string {
    return this.#text;
  }
  // Exporters that take image/svg+xml for dangerous leave a blank cell, but keep the same as HTML.
  [Symbol.for("Jupyter.display")](): MimeBundle {
    const raster: MimeBundle = this.png ? { "image/png": base64(this.png) } : { "image/svg+xml": this.svg };
    return { "text/plain": this.#text, "text/html": this.svg, ...raster };
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.#text;
  }
}

/** `String.fromCharCode` takes its characters as arguments, of which engines allow some ten thousand. */
const CHUNK = 8192;

export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(text);
}
