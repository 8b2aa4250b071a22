/** The executable of Node 24, if there is one. */
export function findNode24(): string | undefined;
