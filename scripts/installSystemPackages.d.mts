/** The browser's executable: $CHROMIUM, or the first known name on the PATH; undefined if there is none. */
export function findChromium(): string | undefined;
