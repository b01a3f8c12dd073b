// What `troupe plan` says of a job on Cloudflare: its limits, and what it would cost.
import type { Finding } from "#jobs/plan/cloudflare/check-limits.ts";
import type { Bill, CostEstimate } from "#jobs/plan/cloudflare/cost.ts";
import { PRICES, SUBSCRIPTION } from "#jobs/plan/cloudflare/prices.ts";

import { table } from "../terminal/io.ts";

const KINDS = { refused: "refused ", warning: "warning " } as const;

export function describeLimits(findings: readonly Finding[]): string {
  if (findings.length === 0) return "Limits    Cloudflare's limits leave room for this plan.";
  return [
    "Limits",
    ...findings.map(({ kind, message, hint }) => `  ${KINDS[kind]} ${message}\n           ${hint}`),
  ].join("\n");
}

export function describeCost({ turns, modelCallS, question, questions, idleMonth }: CostEstimate): string {
  const items = Object.entries(PRICES).map(([item, { what, usd, per, included, free }]) => [
    `  ${what}`,
    amount(usedOf(question, item)),
    amount(usedOf(questions.bill, item)),
    amount(usedOf(idleMonth.bill, item)),
    `$${usd} ${per === 1 ? "each" : "a million"}`,
    amount(included),
    free,
  ]);
  const head = [
    "  item",
    "a question",
    `${questions.number} questions`,
    "an idle month",
    "price",
    "included",
    "free plan",
  ];
  return `Cost      an estimate for ${turns} turns a question, measured with model calls of ${modelCallS} s
${table([head, ...items])}
  ${questions.number} questions cost ${dollars(questions.usd)}, a month without questions ${dollars(idleMonth.usd)}: on the plan Workers Paid, beside its $${SUBSCRIPTION.usd} a month.
  What the plan includes is not taken off. Not counted: the model, deployments, documents, push notifications, CPU time of heartbeats.`;
}

function usedOf(bill: Bill, item: string): number {
  return Object.entries(bill).find(([name]) => name === item)?.[1].used ?? 0;
}

/** With three digits that count. */
function amount(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
}

function dollars(usd: number): string {
  return `$${usd >= 0.01 ? usd.toFixed(2) : String(Number(usd.toPrecision(1)))}`;
}
