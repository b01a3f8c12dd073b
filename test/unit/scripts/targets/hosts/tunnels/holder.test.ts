// What keeps a tunnel from being held before ssh is asked.
import { expect, test } from "vitest";

import { parseHosts } from "#jobs/placement/hosts.ts";
import { planJob } from "#jobs/plan/plan.ts";
import { Machine } from "../../../../../../scripts/targets/hosts/machine/machine.ts";
import { OwnShell } from "../../../../../../scripts/targets/hosts/ssh/own-shell.ts";
import { holdTunnels } from "../../../../../../scripts/targets/hosts/tunnels/holder.ts";
import { jobFrom, jobText } from "../../../../jobs/placement/support.ts";

test("a socket whose path would be too long is refused, with by how much", async () => {
  const text = jobText({ a: "ssh://h1", b: "ssh://h2" }, "topology: { type: pipeline, stages: [a, b] }");
  const plan = planJob(jobFrom(text), {
    hasAnthropicKey: false,
    ports: { a: 9001, b: 9002 },
    objects: {},
    placement: { hosts: parseHosts("h1 expose=tunnel\nh2 expose=tunnel", "hosts").hosts },
  });
  // With /jobs/x/tunnels/9002, of which a system takes 103 bytes.
  const home = `/${"h".repeat(84)}`;
  const machines = new Map(["h1", "h2"].map((id) => [id, new Machine(id, new OwnShell(home), "x")]));
  const { signal } = new AbortController();
  await expect(holdTunnels({ plan, controlPlanePort: 9000, machines }, signal)).rejects.toMatchObject({
    code: "failed",
    message: `The path of a tunnel's socket on h1 would be 2 bytes too long: ${home}/jobs/x/tunnels/9002`,
  });
});
