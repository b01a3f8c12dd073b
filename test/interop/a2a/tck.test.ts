// The A2A Technology Compatibility Kit against jobs/tck.yaml. Its checkouts are given by `--tck DIR` (main.ts).
import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { Deployment } from "../../support/deployment.ts";
import { CACHE, exists, fetching, Unreachable } from "../toolchain.ts";

const PACKAGES = [
  "pytest",
  "pytest-asyncio",
  "pytest-html",
  "pytest-json-report",
  "httpx==0.28.1",
  "grpcio",
  "protobuf",
  "googleapis-common-protos",
  "jsonschema",
  "gherkin-official",
  "Jinja2",
  "requests",
  "responses",
  "deepdiff",
  "packaging",
  "PyYAML",
  "python-dotenv",
  "pyOpenSSL",
];

/**
 * 1.0: its schema of the card forbids fields of other versions, which it gets because it names no version; it gets the error that it
 * demands for an unknown media type and calls that a failure; the kit takes `application/json` only, where the spec wants `application/a2a+json` (11.1). 0.3: a task that is told something
 * else while it works may continue or not (a test of quality, not of conformance); here it refuses that.
 */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "1.0": [
    "TestAgentCardStructure::test_agent_card_validates_against_schema",
    "test_must_requirement[CORE-SEND-003-",
    "TestRestErrorStructure::test_error_uses_aip193_format",
    "TestRestFormat::test_response_content_type",
    "TestAIP193ErrorFormat::test_error_content_type",
  ],
  "0.3": ["test_task_state_quality.py::test_task_state_transitions"],
};

const folders = z.array(z.string()).parse(JSON.parse(process.env["TCK"] ?? "[]"));

let deployment: Deployment;
let url = "";
beforeAll(async () => {
  deployment = await Deployment.create();
  await deployment.succeed("deploy", "tck");
  const { agents } = z
    .object({ agents: z.array(z.object({ url: z.string() })) })
    .parse(await deployment.json("status", "tck"));
  url = agents[0]?.url ?? "";
});
afterAll(async () => deployment.close({ unchecked: true }));

test.for(["1.0", "0.3"])(
  "the TCK %s has no failure but its own",
  { timeout: 20 * 60_000 },
  async (version, { skip }) => {
    const folder = await checkout(version);
    if (folder === undefined) return skip(`no checkout of ${version} was given: --tck DIR`);
    const python = await install().catch((error: unknown) => {
      if (error instanceof Unreachable) return skip(error.message);
      throw error;
    });
    const args =
      version === "1.0" ? ["--sut-host", url] : ["--sut-url", url, "--category", "all", "--transports", "jsonrpc"];
    const output = await outputOf(python, ["run_tck.py", ...args], folder);
    expect(output).toMatch(/\d+ passed/);
    const failed = [...output.matchAll(/^(?:FAILED|ERROR) (tests\/\S+)/gm)].map(([, name = ""]) => name);
    const known = KNOWN[version] ?? [];
    expect(failed.filter((name) => !known.some((own) => name.includes(own)))).toEqual([]);
  },
);

/** The kit's branches are told apart by their folders. */
async function checkout(version: string): Promise<string | undefined> {
  for (const folder of folders) if ((await exists(join(folder, "scenarios"))) === (version === "1.0")) return folder;
  return undefined;
}

async function install(): Promise<string> {
  const folder = join(CACHE, "tck");
  const [installed, python] = [join(folder, "installed"), join(folder, "bin", "python")];
  if (await exists(installed)) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(CACHE, { recursive: true });
  await fetching({ program: "python3", args: ["-m", "venv", folder] });
  await fetching({ program: python, args: ["-m", "pip", "install", "--quiet", ...PACKAGES] });
  await writeFile(installed, "");
  return python;
}

/** Runs to its end, whatever that is. */
function outputOf(program: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("error", reject);
    child.once("close", () => resolve(output));
  });
}
