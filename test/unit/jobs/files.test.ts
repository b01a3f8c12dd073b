// The job files of the project: each loads and plans, tells editors its schema, and the schema is current.
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { planJob } from "#jobs/plan/plan.ts";
import { readTextFile } from "#jobs/file/read.ts";
import { jobJsonSchema } from "#jobs/schema/schema.ts";

import { jobOf } from "./support.ts";

const folder = join(import.meta.dirname, "../../../jobs");
const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".yaml")).toSorted();

const ENTRY_POINTS: Readonly<Record<string, string>> = { "approvals.yaml": "assistant", "tck.yaml": "tck" };

describe("job files", () => {
  test("there is one for each topology", async () => {
    const jobs = await Promise.all(files.map(async (file) => jobOf(await readFile(join(folder, file), "utf8"))));
    const types = new Set(jobs.map((job) => job.topology.type));
    expect([...types].toSorted()).toEqual(["dag", "dynamic", "hierarchical", "hub-spoke", "mesh", "pipeline"]);
  });
  test.each(files)("%s loads, plans and names its schema", async (file) => {
    const text = await readFile(join(folder, file), "utf8");
    const up = file.includes("examples") ? "../" : "./";
    expect(text.split(/\r?\n/)[0]).toBe(`# yaml-language-server: $schema=${up}job.schema.json`);
    const plan = planJob(jobOf(text), { hasAnthropicKey: false, ports: {}, objects: {} });
    expect(plan.entryPoint).toBe(ENTRY_POINTS[file] ?? "coordinator");
  });
  test("the JSON Schema for editors is the one made from the zod schema", async () => {
    expect(JSON.parse(await readFile(join(folder, "job.schema.json"), "utf8"))).toEqual(jobJsonSchema());
  });
});

describe("reading a job file", () => {
  test("a file of 10 MB is refused by its size alone", async () => {
    const temporary = await mkdtemp(join(tmpdir(), "troupe-"));
    const path = join(temporary, "big.yaml");
    await writeFile(path, "");
    await truncate(path, 10 * 1024 * 1024);
    const result = await readTextFile(path, "big.yaml", "job file");
    expect(result).toEqual({
      mistakes: [
        {
          file: "big.yaml",
          line: 1,
          column: 1,
          message: "the file has 10.0 MB; a job file may have 1 MB",
          hint: "Is this the right file?",
        },
      ],
    });
    await rm(temporary, { recursive: true });
  });
  test("what is neither a file nor a folder is not waited for", { skip: process.platform === "win32" }, async () => {
    expect(await readTextFile("/dev/null", "x", "job file")).toMatchObject({
      mistakes: [{ message: "this is not a file" }],
    });
  });
  test("bytes that are no UTF-8 are no text", async () => {
    const temporary = await mkdtemp(join(tmpdir(), "troupe-"));
    const path = join(temporary, "binary.yaml");
    await writeFile(path, Uint8Array.from([0x6e, 0xff, 0xfe]));
    expect(await readTextFile(path, "x", "job file")).toMatchObject({
      mistakes: [{ message: "the file is not UTF-8 text" }],
    });
    await rm(temporary, { recursive: true });
  });
});
