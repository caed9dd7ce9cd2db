// The real program as a child process, in a world of its own.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import WebSocket from "ws";

import { Api } from "../src/api.js";
import { Skyhaul, type SkyhaulOptions } from "../src/skyhaul.js";

const ROOT = resolve(import.meta.dirname, "../../..");
const PROGRAM = resolve(process.env.SKYHAUL_PROGRAM ?? join(ROOT, "target/release/skyhaul"));
/** Generous, because a busy machine is slow and a hung program is slower. */
const PATIENCE_MS = 45_000;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => probe.once("listening", listening));
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
}

/** `skyhaul serve` or `replay`; the one with a data folder that outlives it, so that it can be started again. */
export class Server {
  #child: ChildProcess | undefined;
  #log = "";

  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly command: string[],
  ) {}

  static async start(...options: string[]): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), "skyhaul-client-"));
    const server = new Server(folder, await freePort(), ["serve", "--data", join(folder, "data"), ...options]);
    await server.start();
    return server;
  }

  /** Records a scenario from its beginning on, and plays that. */
  static async replay(scenario: string, until: string, ...options: string[]): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), "skyhaul-client-"));
    const file = join(folder, "recording.mcap");
    await promisify(execFile)(PROGRAM, ["run", scenario, "--until", until, "--record", file]);
    const server = new Server(folder, await freePort(), ["replay", file, ...options]);
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get api(): Api {
    return this.apiWith();
  }

  apiWith(token?: string): Api {
    return new Api({ base: this.url, token });
  }

  /** A token that this server accepts, from `skyhaul token`. */
  async token(role: "operator" | "business" | "customer", ...options: string[]): Promise<string> {
    const asked = ["token", "--role", role, "--data", join(this.folder, "data"), ...options];
    const { stdout } = await promisify(execFile)(PROGRAM, asked);
    return stdout.trim().split("\n").at(-1)!;
  }

  /** All that it has said. */
  get log(): string {
    return this.#log;
  }

  connect(options: Partial<SkyhaulOptions> = {}): Skyhaul {
    const url = `ws://127.0.0.1:${this.port}/ws`;
    return new Skyhaul({ url, WebSocket: WebSocket as never, firstRetryMs: 50, longestRetryMs: 200, ...options });
  }

  async start(): Promise<void> {
    const child = spawn(PROGRAM, [...this.command, "--listen", `127.0.0.1:${this.port}`], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout!.on("data", (text) => (this.#log += text));
    child.stderr!.on("data", (text) => (this.#log += text));
    this.#child = child;
    const { api } = this;
    await eventually("the server is ready", async () => {
      if (child.exitCode !== null) throw new Error(`${this.command[0]} ended with ${child.exitCode}: ${this.#log}`);
      return api.get("/readyz").then(
        () => true,
        () => false,
      );
    });
  }

  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((ended) => child.once("exit", ended));
    child.kill(signal);
    await ended;
  }

  /** What starts after this is another world. */
  async forget(): Promise<void> {
    await this.stop("SIGKILL");
    await rm(join(this.folder, "data"), { recursive: true });
  }

  async end(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export const scenario = (name: string): string => join(ROOT, "scenarios", `${name}.toml`);

/** Asks until the answer is truthy. */
export async function eventually<T>(what: string, question: () => Promise<T> | T): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`);
    await new Promise((later) => setTimeout(later, 10));
  }
}

/** Gathers what handlers are told, and waits for what is wanted. */
export class Ear<T> {
  readonly heard: T[] = [];
  #waiting: (() => void)[] = [];

  readonly hear = (message: T): void => {
    this.heard.push(message);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  /** The first that fits, of the past or to come. */
  async find(what: string, fits: (message: T) => boolean): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = this.heard.find(fits);
      if (found) return found;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`never heard: ${what}; last: ${JSON.stringify(this.heard.slice(-3))}`);
      await new Promise<void>((woken) => {
        const timer = setTimeout(woken, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          woken();
        });
      });
    }
  }
}
