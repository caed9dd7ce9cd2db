// What the README shows works as it stands: its example is compiled against the package as
// others get it, and run against a real server.

import { execFile, spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import { Ear, scenario, Server } from "./server.js";

const PACKAGE = resolve(import.meta.dirname, "..");
const run = promisify(execFile);
const tsc = (...options: string[]) => run(process.execPath, [compiler, ...options], { cwd: PACKAGE });
const compiler = join(dirname(new URL(import.meta.resolve("typescript/package.json")).pathname), "bin/tsc");

/** What Node 20 has not, and a page has. */
const BROWSER = `
import WebSocket from "ws";
globalThis.WebSocket ??= WebSocket;
globalThis.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 50);
`;

let folder: string;
let server: Server;

beforeAll(async () => {
  // Somewhere where the package's own dependencies are found, and git does not look.
  const modules = join(PACKAGE, "node_modules");
  await mkdir(modules, { recursive: true });
  [folder, server] = await Promise.all([
    mkdtemp(join(modules, ".readme-")),
    Server.start("--scenario", scenario("san-francisco"), "--no-demand", "--speed", "100"),
  ]);
});

afterAll(async () => {
  await server?.end();
  await rm(folder, { recursive: true, force: true });
});

test("the first example of the README", async () => {
  const readme = await readFile(join(PACKAGE, "README.md"), "utf8");
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  expect(example).toContain("127.0.0.1:8080");
  const source = join(folder, "example.ts");
  await writeFile(source, example.replaceAll("127.0.0.1:8080", new URL(server.url).host));
  await writeFile(join(folder, "browser.mjs"), BROWSER);
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  // Types and code as `npm publish` would send them.
  const installed = join(folder, "node_modules/@skyhaul/client");
  await tsc("-p", "tsconfig.build.json", "--outDir", join(installed, "dist"));
  await copyFile(join(PACKAGE, "package.json"), join(installed, "package.json"));
  const compilerOptions = { target: "ES2022", module: "nodenext", lib: ["ES2022", "DOM"], types: [], strict: true };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["example.ts"] }));
  await tsc("-p", folder);

  const lines = new Ear<string>();
  const program = spawn(process.execPath, ["--import", "./browser.mjs", "example.js"], { cwd: folder });
  program.stdout.setEncoding("utf8").on("data", (text: string) => text.trimEnd().split("\n").forEach(lines.hear));
  program.stderr.setEncoding("utf8").on("data", (text: string) => lines.hear(`! ${text}`));
  try {
    await lines.find("a connection", (line) => line.startsWith("open"));
    await lines.find("the first event", (line) => /^1 2026-\S+ Accepted$/.test(line));
    await lines.find("the last one", (line) => /^\d+ 2026-\S+ Completed$/.test(line));
    await lines.find("a drone over San Francisco", (line) => /^[1-9]\d* -122\.\d+ 37\.\d+ [\d.]+$/.test(line));
  } finally {
    program.kill();
  }
  expect(lines.heard.filter((line) => line.startsWith("!"))).toEqual([]);
});
