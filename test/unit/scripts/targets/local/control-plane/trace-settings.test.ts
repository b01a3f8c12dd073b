// How traces are forwarded, from one command to the next.
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { TRACE_SETTINGS, type TraceSetting } from "#shared/tracing/settings.ts";

import { traceSettings } from "../../../../../../scripts/targets/local/control-plane/trace-settings.ts";
import { recordedIo, type RecordedIo } from "../../../io.ts";

let folder: string;
let io: RecordedIo;
beforeEach(async () => {
  io = recordedIo();
  folder = await mkdtemp(join(tmpdir(), "troupe-settings-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** What a command uses in a shell in which these variables are set, and no others. */
async function usedWith(variables: { readonly [Name in TraceSetting]?: string }): Promise<Record<string, string>> {
  for (const name of TRACE_SETTINGS) vi.stubEnv(name, variables[name]);
  return traceSettings(join(folder, "settings.json"), io);
}

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" };

test("a shell that says nothing of it changes nothing", async () => {
  expect(await usedWith({})).toEqual({});
  expect(await usedWith(ENDPOINT)).toEqual(ENDPOINT);
  expect(await usedWith({})).toEqual(ENDPOINT);
  expect(await usedWith({})).toEqual(ENDPOINT);
});

test("a shell that sets anything replaces all of it", async () => {
  await usedWith({ ...ENDPOINT, TROUPE_TRACES_SLOW: "5s" });
  await usedWith({ TROUPE_TRACES_COSTLY: "1" });
  expect(await usedWith({})).toEqual({ TROUPE_TRACES_COSTLY: "1" });
});

test("an empty variable is set, and so turns forwarding off", async () => {
  await usedWith(ENDPOINT);
  expect(await usedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: "" })).toEqual({});
  expect(await usedWith({})).toEqual({});
});

// Windows knows no modes: there the folder's own rights have to do.
test.skipIf(process.platform === "win32")("only the owner may read them, since headers hold secrets", async () => {
  await usedWith({ OTEL_EXPORTER_OTLP_HEADERS: "authorization=secret" });
  expect((await stat(join(folder, "settings.json"))).mode & 0o777).toBe(0o600);
});

test("a damaged file is set aside and named, and stops no deployment", async () => {
  await writeFile(join(folder, "settings.json"), '{ "OTEL');
  expect(await usedWith({})).toEqual({});
  expect(io.notes.join()).toMatch(/settings\.json is damaged: .*\n.*set aside as .*settings\.json\.damaged-/);
  expect(await usedWith(ENDPOINT)).toEqual(ENDPOINT);
});
