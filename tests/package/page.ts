/**
 * A folder, served to a headless chromium: runs the module of a page and gives back what it reports.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { findChromium } from "../../scripts/installSystemPackages.mjs";

const types: Readonly<Record<string, string>> = { ".js": "text/javascript", ".mjs": "text/javascript" };

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** `program` is the text of an ES module; what it passes to `report`, by way of JSON. Anything it throws is an error here.
 *  `flags` are chromium's. */
export async function runInPage(
  folder: string,
  imports: Readonly<Record<string, string>>,
  program: string,
  flags: readonly string[] = ["--disable-gpu"],
): Promise<unknown> {
  const chromium = findChromium();
  if (chromium === undefined) throw new Error("no chromium: run `node scripts/installSystemPackages.mjs`");
  // The page must not wait for its own answer, and errors while loading never reach the program: hence the two handlers.
  const page = `<!doctype html>
    <link rel="icon" href="data:,">
    <script type="importmap">${JSON.stringify({ imports })}</script>
    <script>
      const send = (body) => fetch("/report", { method: "POST", body: JSON.stringify(body) });
      globalThis.report = (result) => send({ result });
      addEventListener("error", (e) => send({ error: String(e.message ?? "a script did not load") }), true);
      addEventListener("unhandledrejection", (e) => send({ error: String(e.reason?.stack ?? e.reason) }));
    </script>
    <script type="module">${program}</script>`;

  const profile = mkdtempSync(join(tmpdir(), "cotangent-chromium-"));
  const server = createServer();
  const reported = new Promise<string>((resolve, reject) => {
    server.on("request", (request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      if (pathname === "/report") {
        response.end();
        bodyOf(request).then(resolve, reject);
      } else if (pathname === "/") {
        response.setHeader("content-type", "text/html; charset=utf-8").end(page);
      } else {
        try {
          // Import maps cannot append an extension.
          const name = extname(pathname) === "" ? `${pathname}.js` : pathname;
          const file = readFileSync(join(folder, normalize(name)));
          response.setHeader("content-type", types[extname(name)] ?? "text/plain").end(file);
        } catch {
          response.writeHead(404).end();
        }
      }
    });
  });
  await new Promise<void>((ready) => server.listen(0, "localhost", ready));
  const { port } = server.address() as AddressInfo;
  // As root, as in containers, chromium runs only without its sandbox; the page is our own.
  const quiet = ["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run"];
  const offline = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const args = [...quiet, ...flags, ...offline, `--user-data-dir=${profile}`, `http://localhost:${port}/`];
  const browser = spawn(chromium, args, { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => browser.once("exit", () => resolve()));
  try {
    const silent = ended.then(() => Promise.reject(new Error("chromium ended without a report")));
    const { result, error } = JSON.parse(await Promise.race([reported, silent])) as {
      result?: unknown;
      error?: string;
    };
    if (error !== undefined) throw new Error(`in the page: ${error}`);
    return result;
  } finally {
    browser.kill("SIGKILL");
    await ended;
    server.closeAllConnections();
    server.close();
    // Helper processes may still be writing for a moment; a folder they leave behind in the temporary one does no harm.
    try {
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    } catch {
      console.warn(`could not remove ${profile}`);
    }
  }
}
