/** `display`: shows a value now, in the middle of a cell or under a kernel that does not ask values how they look. */
import { frontend } from "./frontend.ts";
import { mimeOf } from "./show.ts";

/**
 * Shows a value where the program runs: in the cell of a notebook under Deno's kernel and under tslab, else as text on
 * the standard output. It waits for values on devices that have to be waited for. Whatever `show` takes.
 *
 * @example
 * await display(np.eye(3));
 */
export const display = async (value: unknown): Promise<void> => frontend().show(await mimeOf(value));
