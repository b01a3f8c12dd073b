// Every name in a job that means something in an agent's code: one table, each row a job and the mistakes it must give.
import { expect, test } from "vitest";

import type { AgentReport, InspectedTool } from "#shared/agent/inspection/report.ts";
import { checkTakenNames, checkTools } from "#jobs/check/check-tools.ts";
import { formatMistake } from "#jobs/file/mistake.ts";
import { loadJob } from "#jobs/load.ts";

function tool(name: string, more: Partial<InspectedTool> = {}): InspectedTool {
  return {
    name,
    annotations: { readOnly: false, idempotent: false },
    fields: { payee: true, amount: true, lines: false, currency: ["EUR", "USD"] },
    server: false,
    ...more,
  };
}

const REPORT: AgentReport = { flaws: [], config: [], tools: [], hooksMayAsk: false, hasCanUseTool: false };
const PAYMENTS: AgentReport = {
  ...REPORT,
  tools: [tool("pay_invoice"), tool("list_payments", { annotations: { readOnly: true, idempotent: true } })],
};
const DESK: AgentReport = { ...REPORT, tools: [tool("find_agents"), tool("query_agent")] };

interface Case {
  readonly permissions?: string;
  readonly approvals?: string;
  readonly payments?: AgentReport | undefined;
}

function mistakesOf({ permissions = "{}", approvals = "{}", ...given }: Case): string[] {
  const text = `name: x
agents:
  - { id: desk }
  - id: payments
    permissions: ${permissions}
    config: { ledgr: 1 }
topology: { type: pipeline, stages: [desk, payments] }
approvals: ${approvals}
`;
  const loaded = loadJob(text, "job.yaml", { workers: ["desk", "payments"], variables: new Set() });
  if ("mistakes" in loaded) throw new Error(loaded.mistakes.map(formatMistake).join("\n"));
  const reports = [DESK, "payments" in given ? given.payments : PAYMENTS];
  return checkTools(loaded.job, loaded.source, reports).map((found) => formatMistake(found).replace("\n    ", " | "));
}

const ASKS = "{ ask: [pay_invoice] }";

const TABLE: readonly (readonly [rule: string, job: Case, ...mistakes: string[]])[] = [
  [
    "a misspelt tool in ask would run unasked",
    { permissions: "{ ask: [pay_invoce] }" },
    'job.yaml:5:26: payments has no tool "pay_invoce" | Did you mean "pay_invoice"?',
  ],
  [
    "a misspelt tool in deny would not be taken away",
    { permissions: "{ deny: [list_payment] }" },
    'job.yaml:5:27: payments has no tool "list_payment" | Did you mean "list_payments"?',
  ],
  [
    "a misspelt tool in allow would not be allowed",
    { permissions: "{ allow: [payinvoice, list_payments] }" },
    'job.yaml:5:28: payments has no tool "payinvoice" | Did you mean "pay_invoice"?',
  ],
  [
    "a beginning that no tool has is a mistake too",
    { permissions: "{ ask: ['pya_*'] }" },
    'job.yaml:5:26: payments has no tool that "pya_*" fits | Did you mean "pay_*"?',
  ],
  [
    "a name near none gets the list",
    { permissions: "{ deny: [send_mail] }" },
    'job.yaml:5:27: payments has no tool "send_mail" | There is: pay_invoice, list_payments.',
  ],
  [
    "an agent without anybody to ask has no tool for asking",
    { permissions: "{ deny: [query_agent] }" },
    'job.yaml:5:27: payments has no tool "query_agent" | There is: pay_invoice, list_payments.',
  ],
  ["a name, a beginning and everything fit", { permissions: "{ ask: [pay_invoice, 'list_*', '*'] }" }],
  ["where nothing is known of the code nothing is said", { permissions: "{ ask: [x] }", payments: undefined }],
  [
    "a misspelt tool in the policy would never be answered for",
    { permissions: ASKS, approvals: "{ policy: [{ tool: pay_invoise, decision: deny }] }" },
    'job.yaml:8:31: the job has no tool "pay_invoise" | Did you mean "pay_invoice"?',
  ],
  [
    "a tool in the policy has to be one of the agent that the rule names",
    { permissions: ASKS, approvals: "{ policy: [{ tool: pay_invoice, agent: desk, decision: allow }] }" },
    'job.yaml:8:31: desk has no tool "pay_invoice" | There is: find_agents, query_agent.',
  ],
  [
    "a policy about what nobody is asked about says so",
    { approvals: "{ policy: [{ tool: pay_invoice, decision: deny }] }" },
    'job.yaml:8:31: this rule never applies: nobody is asked about "pay_invoice" | Put it under permissions.ask of its agent.',
  ],
  [
    "a hook may ask about any tool",
    {
      approvals: "{ policy: [{ tool: pay_invoice, decision: deny }] }",
      payments: { ...PAYMENTS, hooksMayAsk: true },
    },
  ],
  [
    "an agent that asks nobody is not answered for",
    {
      permissions: "{ ask: [pay_invoice], mode: dontAsk }",
      approvals: "{ policy: [{ tool: pay_invoice, decision: allow }] }",
    },
    'job.yaml:8:31: this rule never applies: nobody is asked about "pay_invoice" | Put it under permissions.ask of its agent.',
  ],
  [
    "a misspelt field of the policy would fit nothing",
    {
      permissions: ASKS,
      approvals: "{ policy: [{ tool: pay_invoice, input: { payeee: ACME }, decision: deny }] }",
    },
    'job.yaml:8:53: the input of pay_invoice has no field "payeee" | Did you mean "payee"?',
  ],
  [
    "a list in the policy fits nothing either",
    {
      permissions: ASKS,
      approvals: "{ policy: [{ tool: pay_invoice, input: { lines: '*' }, decision: deny }] }",
    },
    'job.yaml:8:53: "lines" of pay_invoice is a list or a mapping, and matches no text | Remove the field, or let a person decide.',
  ],
  [
    "a text that the field never has fits nothing",
    {
      permissions: ASKS,
      approvals: "{ policy: [{ tool: pay_invoice, input: { currency: [EURO, 'U*'] }, decision: deny }] }",
    },
    'job.yaml:8:63: "currency" is never "EURO" | Did you mean "EUR"?',
  ],
  [
    "a tool that takes any field takes this one",
    {
      permissions: ASKS,
      approvals: "{ policy: [{ tool: pay_invoice, input: { anything: x }, decision: deny }] }",
      payments: { ...REPORT, tools: [tool("pay_invoice", { fields: null })] },
    },
  ],
  [
    "settings are shown where they stand",
    {
      payments: {
        ...PAYMENTS,
        config: [{ path: ["ledgr"], at: "key", message: 'config has no field "ledgr"', hint: "It takes none." }],
      },
    },
    'job.yaml:6:15: payments: config has no field "ledgr" | It takes none.',
  ],
  [
    "all of it is said at once",
    {
      permissions: "{ ask: [pay_invoce], deny: [lst_payments] }",
      approvals: "{ policy: [{ tool: nothing, decision: deny }] }",
    },
    'job.yaml:5:26: payments has no tool "pay_invoce" | Did you mean "pay_invoice"?',
    'job.yaml:5:46: payments has no tool "lst_payments" | Did you mean "list_payments"?',
    'job.yaml:8:31: the job has no tool "nothing" | There is: find_agents, query_agent, pay_invoice, list_payments.',
  ],
];

test.each(TABLE.map(([rule, job, ...mistakes]) => [rule, { job, mistakes }] as const))("%s", (_, { job, mistakes }) => {
  expect(mistakesOf(job)).toEqual(mistakes);
});

test("a variable cannot take the name of an object of the agent's own", () => {
  const text = `name: x
agents: [{ id: payments, env: { LEDGER: x, SESSION_INDEX: x, OTHER: x } }]
topology: { type: mesh }
`;
  const loaded = loadJob(text, "job.yaml", { workers: ["payments"], variables: new Set() });
  const known = "mistakes" in loaded ? loaded.partial : loaded;
  if (!known) throw new Error("The job cannot be read.");
  const found = checkTakenNames(known.job, known.source, [["Ledger", "Session", "SessionIndex"]]);
  expect(found.map(formatMistake)).toEqual([
    "job.yaml:2:33: the variable LEDGER would replace the object Ledger of the agent payments\n    Choose another name.",
  ]);
});
