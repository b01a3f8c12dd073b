// What `troupe plan` says of limits and cost.
import { expect, test } from "vitest";

import { estimateCost } from "#jobs/plan/cloudflare/cost.ts";

import { describeCost, describeLimits } from "../../../../scripts/jobs/show-cloudflare.ts";
import { hubOf, plannedAgents } from "../../jobs/cloudflare/planned.ts";

test("each finding has a line of what is wrong, and one of what to do", () => {
  const findings = [
    { kind: "refused", message: "It is too long.", hint: "Shorten it." },
    { kind: "warning", message: "It may be much.", hint: "Use less." },
  ] as const;
  expect(describeLimits(findings)).toBe(
    "Limits\n  refused  It is too long.\n           Shorten it.\n  warning  It may be much.\n           Use less.",
  );
  expect(describeLimits([])).toBe("Limits    Cloudflare's limits leave room for this plan.");
});

test("the cost has a row for each item, its sums, and what is not counted", () => {
  const cost = estimateCost(plannedAgents(4, hubOf(4)));
  expect(cost && describeCost(cost)).toMatchInlineSnapshot(`
    "Cost      an estimate for 4 turns a question, measured with model calls of 0.02 s
      item                 a question  1000 questions  an idle month  price             included        free plan
      requests             1           1,000           0              $0.3 a million    10,000,000      100,000 a day
      CPU ms               168         167,500         0              $0.02 a million   30,000,000      10 ms an invocation
      requests of objects  14.5        14,500          362,880        $0.15 a million   1,000,000       100,000 a day
      GB-s of objects      0.609       609             442            $12.5 a million   400,000         13,000 a day
      rows read            318         317,600         504,576        $0.001 a million  25,000,000,000  5 million a day
      rows written         175         174,550         362,880        $1 a million      50,000,000      100,000 a day
      GB-months stored     0.000169    0.169           0              $0.2 each         5               5 GB in all
      1000 questions cost $0.22, a month without questions $0.42: on the plan Workers Paid, beside its $5 a month.
      What the plan includes is not taken off. Not counted: the model, deployments, documents, push notifications, CPU time of heartbeats."
  `);
});
