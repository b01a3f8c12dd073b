// Which jobs this version deploys, and which it only plans.
import { expect, test } from "vitest";

import { parseHosts } from "#jobs/placement/hosts.ts";
import { targetOf } from "../../../../scripts/targets/choose-target.ts";
import { jobFrom, jobText } from "../../jobs/placement/support.ts";

const PAIR = "topology: { type: pipeline, stages: [a, b] }";
const ANY = "topology: { type: dynamic }\nexecution: { entry_point: a }";

async function refusal(agents: Readonly<Record<string, string>>, topology: string, file = ""): Promise<string> {
  const placement = file === "" ? {} : { hosts: parseHosts(file, "hosts").hosts };
  return targetOf(jobFrom(jobText(agents, topology)), placement).then(
    (target) => target.constructor.name,
    (error: unknown) => (error instanceof Error ? (error.message.split(".")[0] ?? "") : ""),
  );
}

test.each<[Readonly<Record<string, string>>, string, string, string]>([
  [{ a: "", b: "" }, PAIR, "", "LocalTarget"],
  [{ a: "ssh://h1", b: "ssh://h2" }, PAIR, "", "HostsTarget"],
  [{ a: "", b: "" }, ANY, "h1\nh2", "HostsTarget"],
  [{ a: "local", b: "ssh://h2" }, `${PAIR}\ncontrol_plane: { target: ssh://h2 }`, "", "HostsTarget"],
  [{ a: "ssh://h1", b: "cloudflare" }, PAIR, "", "x runs on Cloudflare and elsewhere"],
  [{ a: "", b: "" }, PAIR, "h1\nh2 expose=tunnel", "HostsTarget"],
  [{ a: "", b: "" }, ANY, "h1\nh2 expose=tunnel", "HostsTarget"],
])("%j, %j with the hosts %j: %s", async (agents, topology, file, outcome) => {
  expect(await refusal(agents, topology, file)).toBe(outcome);
});
