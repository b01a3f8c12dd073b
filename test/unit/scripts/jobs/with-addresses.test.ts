// Addresses behind the aliases of a job's hosts, from a real ssh and a configuration of its own.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { placeAgents } from "#jobs/placement/place-agents.ts";
import { withAddresses } from "../../../../scripts/jobs/with-addresses.ts";
import { loginOf } from "../../../../scripts/targets/hosts/ssh/login.ts";
import { noSsh } from "../../../support/ssh-host.ts";
import { jobFrom, jobText } from "../../jobs/placement/support.ts";

let folder = "";
let config = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-ssh-config-"));
  config = join(folder, "config");
  await writeFile(
    config,
    `
Host h1 same
  HostName 10.0.0.1
Host h2
  HostName two.example
  Port 2222
Host six
  HostName 2001:db8::1
Host near
  HostName fe80::1%%eth0
Host counted
  HostName 10.0.0.9
Match originalhost counted exec "echo asked >> ${folder}/asked"
  User me
`,
  );
  vi.stubEnv("TROUPE_SSH_CONFIG", config);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const PAIR = "topology: { type: hub-spoke, hub: a, spokes: [b] }";

/** Destination → address, of a job whose agents have these targets. */
async function addressesOf(a: string, b: string): Promise<Record<string, string | undefined>> {
  const job = jobFrom(jobText({ a, b }, PAIR));
  const { places } = placeAgents(job, await withAddresses(job, {}));
  return Object.fromEntries(places.map(({ destination = "local", address }) => [destination, address]));
}

describe.skipIf(noSsh())("a host", () => {
  test("is reached at what its alias stands for", async () => {
    expect(await addressesOf("ssh://h1", "ssh://me@h2")).toEqual({ h1: "10.0.0.1", "me@h2": "two.example" });
    expect(await addressesOf("ssh://six", "ssh://plain.example")).toEqual({
      six: "2001:db8::1",
      "plain.example": "plain.example",
    });
  });
  test("keeps its name where the configuration names no address for other machines", async () => {
    expect(await addressesOf("ssh://near", "ssh://h1")).toEqual({ near: "near", h1: "10.0.0.1" });
  });
  test("keeps its name where ssh does not tell", async () => {
    vi.stubEnv("TROUPE_SSH_CONFIG", join(folder, "nowhere"));
    expect(await addressesOf("ssh://h1", "ssh://h2")).toEqual({ h1: "h1", h2: "h2" });
    vi.stubEnv("TROUPE_SSH_CONFIG", config);
  });
  test("that is the only one is not asked for", async () => {
    const asked = async () => readFile(join(folder, "asked"), "utf8").catch(() => "");
    expect(await addressesOf("ssh://counted", "ssh://counted")).toEqual({ counted: "counted" });
    expect(await asked()).toBe("");
    await addressesOf("ssh://counted", "ssh://h1");
    expect(await asked()).toBe("asked\n");
  });
});

test.skipIf(noSsh())("two names of one account are refused, since they would share processes and folders", async () => {
  await expect(addressesOf("ssh://h1", "ssh://same")).rejects.toThrow(
    "h1 and same are the same account of the same machine, as ssh's configuration says.",
  );
  await expect(addressesOf("ssh://h2", "ssh://h2:2222")).rejects.toThrow("h2 and h2 (port 2222) are the same account");
  expect(await addressesOf("ssh://me@h1", "ssh://you@same")).toEqual({ "me@h1": "10.0.0.1", "you@same": "10.0.0.1" });
});

test("ssh is handed nothing that it takes for an option", async () => {
  await expect(loginOf({ id: "x", destination: "-oProxyCommand=touch x" })).rejects.toThrow("is not a host");
});
