// Pure parts of the local target: ports, states, log lines, secrets.
import { COMMAND_LINE } from "#shared/a2a/peer-token.ts";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test, vi } from "vitest";

import { describeLine } from "../../../../../scripts/commands/deployment/logs.ts";
import { choosePorts } from "../../../../../scripts/targets/local/processes/choose-ports.ts";
import { JOB_PROCESS } from "../../../../../scripts/targets/local/state/layout.ts";
import { parseLines } from "../../../../../scripts/targets/local/logs.ts";
import { freePorts } from "../../../../../scripts/targets/local/processes/ports.ts";
import {
  controlPlaneSecret,
  ensureControlPlaneSecret,
  jobToken,
  ensureSigningKeys,
  secretValues,
  updateJobSecrets,
} from "../../../../../scripts/targets/local/state/secrets.ts";
import { agentState, unregisteredState } from "../../../../../scripts/targets/local/status.ts";
import { jobOf } from "../../../jobs/support.ts";
import { recordedIo } from "../../io.ts";

const job = (port: number) =>
  jobOf(
    `name: x\nagents:\n  - { id: a, worker: searcher, port: ${port} }\n  - { id: b, worker: searcher }\ntopology: { type: dynamic }\nexecution: { entry_point: a }\n`,
  );

const line = (message: string): string =>
  `{"timestamp":"1767225600000","level":"warn","message":${JSON.stringify(message)}}\n`;

describe("ports", () => {
  test("agents without a port get different free ones", async () => {
    const { a, b } = await choosePorts(job(0), undefined, false);
    expect(a).toBeGreaterThan(0);
    expect(b).not.toBe(a);
  });
  test("a port that the folder keeps for another job is not chosen", async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    const [first = 0] = await freePorts(1);
    vi.stubEnv("TROUPE_PORTS", `${first}-${first + 1}`);
    const chosen = choosePorts(job(first + 1), undefined, false, async () => new Set([first]));
    await expect(chosen).rejects.toThrow(/^Too few ports/);
  });
  test("an agent keeps the port it had", async () => {
    const [kept = 0] = await freePorts(1);
    expect((await choosePorts(job(0), { ports: { b: kept } }, false))["b"]).toBe(kept);
  });
  test("an agent gives its port up to another that the job names it for", async () => {
    const [port = 0] = await freePorts(1);
    const chosen = await choosePorts(job(port), { ports: { b: port } }, false);
    expect(chosen["a"]).toBe(port);
    expect(chosen["b"]).not.toBe(port);
  });
});

describe("state of an agent", () => {
  const facts = { stopped: false, process: "running" as const, healthy: false };
  const agent = {
    id: "a",
    name: "A",
    url: "http://127.0.0.1:1",
    state: "alive" as const,
    lastHeartbeat: "2026-01-01T00:00:00Z",
  };

  test("is what the registry says while its process runs", () => {
    expect(agentState({ ...agent, state: "suspect" }, facts)).toBe("suspect");
    expect(agentState(agent, facts)).toBe("alive");
  });
  test("is dead as soon as its process is gone, whatever the registry still says", () => {
    expect(agentState(agent, { ...facts, process: "dead" })).toBe("dead");
  });
  test("is starting until it is registered, and dead when it never can be", () => {
    expect(agentState(undefined, facts)).toBe("starting");
    expect(agentState(undefined, { ...facts, process: "dead" })).toBe("dead");
  });
  test("is starting while its process is started again, and failed once that is given up", () => {
    expect(agentState(agent, { ...facts, process: "restarting" })).toBe("starting");
    expect(agentState(agent, { ...facts, process: "failed" })).toBe("failed");
  });
  test("is stopped when the job was stopped, whatever the registry still says", () => {
    expect(agentState(agent, { ...facts, stopped: true })).toBe("stopped");
  });
  test("without a registry is what the agent itself says", () => {
    expect(unregisteredState({ ...facts, healthy: true })).toBe("alive");
    expect(unregisteredState(facts)).toBe("dead");
  });
});

describe("log lines", () => {
  test("say which agent they are from, in a process of all agents", () => {
    const parsed = parseLines(
      line("[searcher] found nothing") + line("service agent-fact_checker: odd") + line("odd"),
      JOB_PROCESS,
    );
    expect(parsed.map(({ agent, message }) => [agent, message])).toEqual([
      ["searcher", "found nothing"],
      ["fact_checker", "odd"],
      [null, "odd"],
    ]);
    expect(parsed[0]).toMatchObject({ time: "2026-01-01T00:00:00.000Z", level: "warn" });
  });
  test("all belong to the agent that has the process to itself", () => {
    expect(parseLines(line("odd"), "searcher")[0]?.agent).toBe("searcher");
  });
  test("that are the engine's remarks to itself are left out", () => {
    expect(parseLines(line("NOSENTRY alarm handler canceled") + line("odd"), JOB_PROCESS)).toHaveLength(1);
  });
  test("that are no JSON are kept as they are", () => {
    expect(parseLines("*** Fatal\n\n", JOB_PROCESS)).toEqual([
      { time: null, level: "info", agent: null, message: "*** Fatal", traceId: null, spanId: null },
    ]);
  });
  test("end with the trace and span that they belong to, which are no part of the message", () => {
    const [traceId, spanId] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];
    const parsed = parseLines(
      line(`[searcher] two\nlines trace=${traceId} span=${spanId}`) + line(`[searcher] trace=${traceId} is odd`),
      JOB_PROCESS,
    );
    expect(parsed).toMatchObject([
      { agent: "searcher", message: "two\nlines", traceId, spanId },
      { message: `trace=${traceId} is odd`, traceId: null, spanId: null },
    ]);
  });
});

test("a log line reaches the terminal without what would move its cursor", () => {
  const [parsed] = parseLines(line("[searcher] found \u001b[2Jone\ntwo"), JOB_PROCESS);
  if (parsed === undefined) throw new Error("There is no line.");
  expect(describeLine(parsed)).toBe("2026-01-01T00:00:00.000Z warn  searcher: found  [2Jone\ntwo");
});

describe("secrets", () => {
  test("the key is made once, values follow the environment or stay, and only the owner may read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "troupe-secrets-"));
    const path = join(folder, "secrets.json");
    process.env["TROUPE_TEST_VALUE"] = "first";
    const first = await updateJobSecrets(path, ["TROUPE_TEST_VALUE"]);
    process.env["TROUPE_TEST_VALUE"] = "second";
    const second = await updateJobSecrets(path, ["TROUPE_TEST_VALUE"]);
    delete process.env["TROUPE_TEST_VALUE"];
    const third = await updateJobSecrets(path, ["TROUPE_TEST_VALUE"]);
    expect([first, second, third].map(({ variables }) => variables["TROUPE_TEST_VALUE"])).toEqual([
      "first",
      "second",
      "second",
    ]);
    expect(new Set([first.key, second.key, third.key]).size).toBe(1);
    // Windows knows no modes: there the folder's own rights have to do.
    const mode = process.platform === "win32" ? 0o600 : (await stat(path)).mode & 0o777;
    expect(mode).toBe(0o600);
    await rm(folder, { recursive: true });
  });
  test("signing keys are made once, and each process gets those of its own agents", async () => {
    const folder = await mkdtemp(join(tmpdir(), "troupe-secrets-"));
    onTestFinished(async () => rm(folder, { recursive: true }));
    const path = join(folder, "job", "secrets.json");
    const first = await ensureSigningKeys(path, ["a", "b"]);
    expect(Object.keys(first)).toEqual(["a", "b", COMMAND_LINE]);
    expect(new Set(Object.values(first)).size).toBe(3);
    expect(await ensureSigningKeys(path, ["b", "c"])).toMatchObject({
      b: first["b"],
      [COMMAND_LINE]: first[COMMAND_LINE],
    });
    const secrets = await updateJobSecrets(path, []);
    const issuer = { job: "j", controlPlane: "secret" };
    const agentOf = (agent: string) => ({
      bindings: [
        { type: "secret", name: "K", variable: `K_${agent}`, source: { from: "signing-key", agent } } as const,
      ],
    });
    const values = secretValues([agentOf("a")], secrets, issuer);
    expect(values).toEqual({ K_a: secrets.signing["a"]?.private });
    expect(() => secretValues([agentOf("z")], secrets, issuer)).toThrow(/signing key of the agent z is missing/);
  });
  test("one that is set nowhere is asked for", async () => {
    await expect(updateJobSecrets("/nowhere/secrets.json", ["TROUPE_TEST_UNSET"])).rejects.toThrow(
      "The variable TROUPE_TEST_UNSET is not set.",
    );
  });
  test.each([
    ["empty", "", "0 characters"],
    ["cut short", "abc\n", "3 characters"],
  ])(
    "the control plane's secret is replaced and named when its file is %s, and never used",
    async (_, content, fault) => {
      const folder = await mkdtemp(join(tmpdir(), "troupe-secrets-"));
      onTestFinished(async () => rm(folder, { recursive: true }));
      const [path, io] = [join(folder, "secret"), recordedIo()];
      await writeFile(path, content);
      expect(await controlPlaneSecret(path)).toBeUndefined();
      const made = await ensureControlPlaneSecret(path, io);
      expect(made).toMatch(/^[\w-]{43}$/);
      expect(io.notes).toEqual([expect.stringContaining(`${path} is damaged (${fault}`)]);
      expect([await controlPlaneSecret(path), await ensureControlPlaneSecret(path, io)]).toEqual([made, made]);
      expect(io.notes).toHaveLength(1);
    },
  );
  test("the tokens of two jobs differ", () => {
    expect(jobToken("secret", "a")).toMatch(/^a\.[\w-]{43}$/);
    expect(jobToken("secret", "a").slice(2)).not.toBe(jobToken("secret", "b").slice(2));
  });
});
