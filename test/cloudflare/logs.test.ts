// The logs of a job on Cloudflare: the real wrangler tails its Workers, against an account on this machine.
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { parseJson } from "#shared/text/parse-json.ts";
import { type CloudflareEmulator, startCloudflare } from "../support/cloudflare/emulator.ts";
import { Deployment, eventually } from "../support/deployment.ts";

const LIMIT_MS = 60_000;
const TAILS = "/accounts/:account/workers/scripts/:name/tails";
const Line = z.object({
  time: z.iso.datetime(),
  level: z.string(),
  agent: z.string(),
  message: z.string(),
  traceId: z.nullable(z.string()),
  spanId: z.nullable(z.string()),
});
/** Its questions fail: of those that go well agents log nothing. */
const JOB = `name: team
agents: [{ id: coordinator }, { id: searcher }]
topology: { type: hub-spoke, hub: coordinator, spokes: [searcher] }
deployment: { target: cloudflare, timeout: 20s }
model: { offline: { fault: "401" } }
`;

let cloudflare: CloudflareEmulator;
let deployment: Deployment;

const countOf = (call: string) => cloudflare.calls.filter((one) => one.call === call).length;
const isTailed = async () => (countOf(`POST ${TAILS}`) === 2 ? true : undefined);

beforeAll(async () => {
  cloudflare = await startCloudflare();
  deployment = await Deployment.create(cloudflare.environment);
  await deployment.succeed("deploy", await deployment.write("job.yaml", JOB));
}, 90_000);
afterAll(async () => {
  await deployment.close({ unchecked: true });
  await cloudflare[Symbol.asyncDispose]();
});

test("logs that were not followed are not there, and the command says so", async () => {
  const { code, stderr } = await deployment.troupe("logs", "team");
  expect(code).toBe(2);
  expect(stderr).toContain("Cloudflare keeps no logs of team that can be read later.");
  expect(stderr).toContain("logs team --follow");
});

test("lines of all agents come with their traces, and the tails are closed at the end", async () => {
  const { process: child, outcome } = deployment.start("logs", "team", "--follow", "--json");
  let printed = "";
  child.stdout?.on("data", (text: string) => (printed += text));
  await eventually(isTailed, LIMIT_MS, "both Workers are tailed");
  const lines = await eventually(
    async () => {
      // A socket opens a moment after its tail: what is asked before that is not heard.
      for (const agent of ["coordinator", "searcher"])
        await deployment.troupe("query", "team", "Why?", "--agent", agent);
      const all = printed.split("\n").flatMap((text) => Line.safeParse(parseJson(text)).data ?? []);
      return new Set(all.map(({ agent }) => agent)).size === 2 ? all : undefined;
    },
    LIMIT_MS,
    "the log tells of a question",
  );
  for (const line of lines) {
    expect(line).toMatchObject({ level: "warn", traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(line.message).toMatch(/^task \S+ failed after \d+ ms: /);
  }
  child.kill("SIGINT");
  expect((await outcome).code).toBe(130);
  expect(countOf(`DELETE ${TAILS}/:tail`)).toBe(2);
});

test("nothing was asked of Cloudflare that it does not know", () => {
  expect(cloudflare.unknownCalls).toEqual([]);
});
