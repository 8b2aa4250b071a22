/** What a provoked mistake is: the program, and what its error must say. */
export interface Mistake {
  /** What the reader was doing. */
  readonly title: string;
  /** Section of the page. */
  readonly section: string;
  /** The program; must throw. */
  readonly program: () => unknown;
  /** The error's class and code. */
  readonly error: string;
  readonly code: string;
  /** Words that the parts must contain. */
  readonly what: readonly (string | RegExp)[];
  readonly why?: readonly (string | RegExp)[];
  readonly fix: readonly (string | RegExp)[];
  /** Text for the page, where the message alone does not say enough. */
  readonly note?: string;
  /** Whether the place is a line of the program (default) or cannot be. */
  readonly placed?: boolean;
}
