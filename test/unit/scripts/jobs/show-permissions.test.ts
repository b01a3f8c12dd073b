import { describe, expect, it } from "vitest";
import { planJob } from "#jobs/plan/plan.ts";
import { describePermissions } from "../../../../scripts/jobs/show-permissions.ts";
import { jobOf } from "../../jobs/support.ts";

function shown(agents: readonly string[], more = ""): string {
  const list = agents.map((fields, index) => `  - { id: a${index}, worker: searcher${fields && `, ${fields}`} }`);
  const job = jobOf(
    `name: x\nagents:\n${list.join("\n")}\ntopology: { type: mesh }\nexecution: { entry_point: a0 }\n${more}`,
  );
  return describePermissions(planJob(job, { hasAnthropicKey: false, ports: {}, objects: {} }).agents);
}

describe("what a plan says of permissions", () => {
  it("is nothing where every agent may do everything", () => {
    expect(shown(["", "permissions: {}", "permissions: { preset: full_access, mode: default }"])).toBe("");
  });

  it("is a line for each agent that differs, in words", () => {
    expect(
      shown([
        "",
        "permissions: { preset: read_only, allow: [send_mail], deny: [fetch_*] }",
        "permissions: { preset: communication_only }",
        "permissions: { allow: [fetch_url] }",
        "permissions: { mode: plan }",
        "permissions: { preset: custom, mode: dontAsk }",
        "permissions: { mode: bypassPermissions, ask: [send_mail, pay] }",
      ]),
    ).toMatchInlineSnapshot(`
      "  a1  only tools that change nothing (read_only); allows send_mail; never fetch_*
        a2  only tools for asking other agents (communication_only)
        a3  asks about every tool that is not allowed (custom); allows fetch_url
        a4  every tool; makes plans: runs no tool unasked that may change something (plan)
        a5  asks about every tool that is not allowed (custom); asks nobody and denies instead (dontAsk)
        a6  every tool; tools that no rule names run unasked (bypassPermissions); asks about send_mail, pay"
    `);
  });

  it("names the answers that the job gives by itself, only at the agents that they are for", () => {
    const policy = `approvals:
  policy:
    - { tool: send_mail, agent: a1, input: { to: ["*@example.com", me], urgent: false }, decision: allow }
    - { tool: "*", decision: deny }
`;
    expect(shown(["", "permissions: { ask: [send_mail] }", ""], policy)).toMatchInlineSnapshot(`
      "  a0, a2  approval policy: denies *
        a1      every tool; asks about send_mail
                approval policy: allows send_mail where to is "*@example.com" or "me" and urgent is "false"
                approval policy: denies *"
    `);
  });
});
