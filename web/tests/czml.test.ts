// What Cesium makes of an exported recording: the same drones, at the same times, at the same
// heights as the table of the same recording has them.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

const PROGRAM = resolve(process.env.SKYHAUL_PROGRAM ?? "../target/release/skyhaul");
const WORLD = resolve("../scenarios/demo.toml");
/** Its ground above the sea, and the sea above the ellipsoid. */
const GROUND_M = 20 - 32;
/** As Cesium and the table round. */
const NEAR_DEGREES = 2e-7;
const NEAR_M = 0.02;

let folder = "";
const run = async (...words: string[]) => (await promisify(execFile)(PROGRAM, words, { maxBuffer: 1 << 28 })).stdout;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skyhaul-czml-"));
  await run("run", WORLD, "--until", "4m", "--record", join(folder, "demo.mcap"));
});
afterAll(() => rm(folder, { recursive: true }));

test("Cesium shows each drone where the table has it", async () => {
  // Cesium asks whether values are pictures.
  Object.assign(globalThis, { Image: class {}, HTMLCanvasElement: class {}, HTMLVideoElement: class {} });
  const { Cartographic, CzmlDataSource, JulianDate } = await import("@cesium/engine");
  const recording = join(folder, "demo.mcap");
  const czml = join(folder, "out.czml");
  await run("export", recording, "--format", "czml", "--out", czml);
  const source = await CzmlDataSource.load(JSON.parse(await readFile(czml, "utf8")) as object);
  const flights = source.entities.values;
  expect(flights.length).toBeGreaterThan(10);
  expect(JulianDate.toIso8601(source.clock.startTime)).toBe("2026-06-01T19:00:00Z");
  expect(JulianDate.toIso8601(source.clock.stopTime)).toBe("2026-06-01T19:04:00Z");

  const [head, ...lines] = (await run("export", recording, "--format", "csv", "--out", "-")).trim().split("\n");
  const columns = head!.split(",");
  const rows = lines.map((line) => Object.fromEntries(line.split(",").map((value, at) => [columns[at]!, value])));
  expect(rows.length).toBeGreaterThan(1000);
  let checked = 0;
  for (const row of rows.filter((_, at) => at % 7 === 0)) {
    const at = JulianDate.fromIso8601(row.time!);
    const flight = flights.find(({ id, availability }) => id.startsWith(`${row.drone}/`) && availability!.contains(at));
    const place = Cartographic.fromCartesian(flight!.position!.getValue(at)!);
    const degrees = (radians: number) => (radians * 180) / Math.PI;
    expect(Math.abs(degrees(place.latitude) - Number(row.latitude))).toBeLessThan(NEAR_DEGREES);
    expect(Math.abs(degrees(place.longitude) - Number(row.longitude))).toBeLessThan(NEAR_DEGREES);
    expect(Math.abs(place.height - GROUND_M - Number(row.height_m))).toBeLessThan(NEAR_M);
    checked += 1;
  }
  expect(checked).toBeGreaterThan(150);
});
