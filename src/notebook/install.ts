/** Makes values show tables in notebooks instead of plain text. With an effect on import, like the other installs. */
import { installRenderer } from "../core/display.ts";
import { render } from "./show.ts";

installRenderer(render);
