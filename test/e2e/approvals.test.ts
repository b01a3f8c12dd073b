// Approvals for people, through deployed agents: a question goes up through three of them to whoever asked, and the answer down again.
import { TaskState } from "@a2a-js/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { approvalRequest } from "#shared/agent/session/tasks/approval-request.ts";

import { askAndPrint } from "../../scripts/query/print.ts";
import { saying, send, taskParams, textOf } from "../support/a2a-client.ts";
import { signalProcess } from "../support/deployment.ts";
import { lastResults, saidLast } from "../support/messages-api.ts";
import { ApprovalJob, Waiting } from "./approval-job.ts";
import { deployScripted, type Scripted } from "./scripted.ts";
import { Status } from "./shapes.ts";

const CHAIN = ["assistant", "purchasing", "payments"] as const;
const { TASK_STATE_CANCELED: CANCELED, TASK_STATE_COMPLETED: COMPLETED } = TaskState;
const { TASK_STATE_INPUT_REQUIRED: INPUT_REQUIRED } = TaskState;

/** The same with another last character. */
function changed(id: string): string {
  return `${id.slice(0, -1)}${id.endsWith("A") ? "B" : "A"}`;
}

describe("three agents in a row, a process each", () => {
  /** Invoices whose payment was approved, in this order. */
  const approved: string[] = [];
  let job: ApprovalJob;
  beforeAll(async () => {
    job = await ApprovalJob.deploy("chain", { more: "isolation: agent\nheartbeat: { interval: 500ms }" });
  });
  afterAll(async () => job[Symbol.asyncDispose]());

  test("the third one's question reaches the terminal, with the command that answers it, and that command does", async () => {
    const asked = await job.query("Pay invoice 4711 over 120 EUR to ACME");
    expect([asked.code, asked.stdout]).toEqual([3, ""]);
    expect(asked.stderr).toMatch(/^payments wants to run pay_invoice with\n {4}\{\n {6}"invoice": "4711",/);
    expect(asked.stderr).toContain("Reason: The job asks about pay_invoice each time.");
    const [, ...command] =
      /Answer: node \S+troupe.mjs (query) (\S+) (--task) (\S+) (--allow) (\S+) /.exec(asked.stderr) ?? [];
    expect(await job.deployment.troupe(...command)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Receipt 1: 120.00 EUR paid to ACME for invoice 4711.") as unknown,
    });
    approved.push("4711");
  });

  test("every agent of the chain waits for the same approval, and ends when it is answered", async () => {
    const query = await job.ask("1");
    for (const agent of CHAIN) {
      const { status } = await job.taskAt(agent, query);
      expect(status?.state).toBe(INPUT_REQUIRED);
      expect(status?.message?.parts.at(-1)?.content?.value).toEqual({ approvals: query.approvals });
    }
    expect(query.approvals).toMatchObject([{ agent: "payments", tool: "pay_invoice", input: { invoice: "1" } }]);
    const id = query.approvals[0]?.id ?? "";
    const answer = await job.query(
      "--task",
      query.taskId,
      "--deny",
      id,
      "--reason",
      "ACME is not to be paid",
      "--json",
    );
    expect(answer.code).toBe(0);
    expect(JSON.parse(answer.stdout)).toMatchObject({
      state: "completed",
      approvals: [],
      answer: expect.stringContaining("ACME is not to be paid") as unknown,
    });
    for (const agent of CHAIN) await job.reaches(agent, query, COMPLETED);
  });

  test("any A2A client can answer in plain words", async () => {
    const assistant = job.client("assistant");
    for (const [invoice, word] of [
      ["2", "allow"],
      ["3", "deny"],
    ] as const) {
      const task = await send(assistant, saying(`Pay invoice ${invoice} over 120 EUR to ACME`));
      expect(task.status?.state).toBe(INPUT_REQUIRED);
      const [words, data] = task.status?.message?.parts ?? [];
      const { approvals } = Waiting.pick({ approvals: true }).parse(data?.content?.value);
      expect(words?.content?.value).toBe(approvalRequest(approvals).text);
      const { message, ...rest } = saying(word);
      const ended = await send(assistant, { ...rest, message: message && { ...message, taskId: task.id } });
      expect(ended.status?.state).toBe(COMPLETED);
      expect(textOf(ended)).toContain(word === "allow" ? "paid to ACME for invoice 2." : "said no");
    }
    approved.push("2");
  });

  test("somebody at the terminal is asked, and what follows on the answer is shown", async () => {
    const { agents } = Status.parse(await job.deployment.json("status", job.name));
    const { url } = agents[0] ?? { url: "" };
    for (const typed of ["y", "n"]) {
      let screen = "";
      const write = (text: string) => void (screen += text);
      const print = (text: string) => write(`${text}\n`);
      const io = { print, write, note: print, signal: new AbortController().signal, interactive: true };
      const text = `Pay invoice 4${typed} over 120 EUR to ACME`;
      const asked = { job: job.name, url, text, session: undefined, timeoutMs: 30_000 };
      const answer = await askAndPrint(asked, io, async (question) => {
        write(question);
        return typed;
      });
      expect(answer.state).toBe("completed");
      expect(screen).toMatch(
        typed === "y"
          ? /payments wants to run pay_invoice[^]*Allow it\? \[y\/n\] [^]*Receipt \d+: /
          : /payments wants to run pay_invoice[^]*Allow it\? \[y\/n\] [^]*said no/,
      );
    }
    approved.push("4y");
  });

  test("an id that was made up is refused, by name, and nothing is decided", async () => {
    const query = await job.ask("5");
    const id = query.approvals[0]?.id ?? "";
    const forged = changed(id);
    const { code, stderr } = await job.query("--task", query.taskId, "--allow", forged);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`No approval "${forged}" waits. Did you mean "${id}"?`),
    ]);
    const other = await job.query("--task", changed(query.taskId), "--allow", id);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("was not found")]);
    for (const agent of CHAIN) expect((await job.taskAt(agent, query)).status?.state).toBe(INPUT_REQUIRED);
    expect((await job.query("--task", query.taskId, "--deny", "all")).code).toBe(0);
    const late = await job.query("--task", query.taskId, "--allow", id);
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("has ended")]);
  });

  test("a new message without the task's id says no, runs next, and ends the tasks down the chain", async () => {
    const query = await job.ask("6");
    const next = await job.query("Which payments were made?", "--session", query.contextId);
    expect(next).toMatchObject({ code: 0, stdout: expect.stringContaining("for invoice 4711.") as unknown });
    for (const agent of CHAIN) await job.reaches(agent, query, CANCELED);
    const id = query.approvals[0]?.id ?? "";
    const late = await job.query("--task", query.taskId, "--allow", id);
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("has ended")]);
  });

  test("a task that is canceled while it waits ends down the chain", async () => {
    const query = await job.ask("7");
    await job.client("assistant").cancelTask(taskParams(query.taskId));
    const ends = await Promise.all(CHAIN.map(async (agent) => job.reaches(agent, query, CANCELED)));
    expect(ends).toHaveLength(CHAIN.length);
  });

  test.each(CHAIN)("a question outlives kill -9 of %s, and its answer runs the call once", async (victim) => {
    const query = await job.ask(`killed-${victim}-1`);
    const { agents } = Status.parse(await job.deployment.json("status", job.name));
    signalProcess(agents.find(({ id }) => id === victim)?.pid, "SIGKILL");
    await job.deployment.succeed("restart", job.name);
    const look = await job.query("--task", query.taskId, "--json");
    expect(look.code).toBe(3);
    expect(Waiting.parse(JSON.parse(look.stdout)).approvals).toEqual(query.approvals);
    const { code, stdout } = await job.query("--task", query.taskId, "--allow", "all");
    expect([code, stdout]).toEqual([0, expect.stringContaining("Receipt")]);
    approved.push(`killed-${victim}-1`);
  });

  test("the ledger shows exactly what was approved, once each", async () => {
    expect(await job.paid()).toEqual(approved);
  });
});

test("a policy of the job answers without a person, the first rule that fits", async () => {
  const rules = "[{ tool: pay_invoice, input: { payee: [ACME] }, decision: allow }, { tool: 'pay_*', decision: deny }]";
  await using job = await ApprovalJob.deploy("policy", { approvals: `{ policy: ${rules} }` });
  const [allowed, denied] = await Promise.all(
    ["ACME", "Initech"].map(async (payee) => job.query(`Pay invoice 1 over 120 EUR to ${payee}`)),
  );
  expect(allowed).toMatchObject({ code: 0, stdout: expect.stringContaining("Receipt 1: ") as unknown });
  expect(denied).toMatchObject({ code: 0, stdout: expect.stringContaining("approval policy denies") as unknown });
  expect(await job.paid()).toEqual(["1"]);
});

test("what nobody answers in time is a no: the task goes on without it, and no answer counts any more", async () => {
  await using job = await ApprovalJob.deploy("late", { approvals: "{ expires: 1s }" });
  const query = await job.ask("1");
  const ended = await job.reaches("assistant", query, COMPLETED);
  expect(textOf(ended)).toContain("Nobody approved it in time");
  const look = await job.query("--task", query.taskId);
  expect(look).toMatchObject({ code: 0, stdout: expect.stringContaining("Nobody approved it in time") as unknown });
  const id = query.approvals[0]?.id ?? "";
  expect((await job.query("--task", query.taskId, "--allow", id)).stderr).toContain("has ended");
  expect(await job.paid()).toEqual([]);
});

describe("two approvals at once", () => {
  let team: Scripted;
  beforeAll(async () => {
    team = await deployScripted("scripted-approvals");
  });
  afterAll(async () => team[Symbol.asyncDispose]());

  const pay = (invoice: string) => ({
    tool: "pay_invoice",
    input: { invoice, payee: "ACME", amount: 5, currency: "EUR" },
  });

  /** Has two payments asked for in one message; resolves to what waits, and the results that the model sees at last. */
  async function askForTwo() {
    team.api.script("lead", function* (call) {
      if (saidLast(call) === "") yield { text: `I was told: ${lastResults(call)[0]?.text ?? ""}` };
      else yield { tool: "query_agent", input: { agent: "cashier", message: "pay both" } };
    });
    const cashier = team.api.script("cashier", function* (call) {
      if (saidLast(call) === "") yield { text: "done" };
      else yield* [pay("A1"), pay("B2")];
    });
    const { code, stdout } = await team.deployment.troupe("query", "scripted-approvals", "pay", "--json");
    expect(code).toBe(3);
    const { taskId, approvals } = Waiting.parse(JSON.parse(stdout));
    const byInvoice = (invoice: string) => approvals.find(({ input }) => input["invoice"] === invoice)?.id ?? "";
    const go = async (...flags: string[]) =>
      team.deployment.troupe("query", "scripted-approvals", "--task", taskId, ...flags);
    return { approvals, a: byInvoice("A1"), b: byInvoice("B2"), go, results: () => cashier.flatMap(lastResults) };
  }

  test("are listed by their ids, and one is allowed and the other denied", async () => {
    const { approvals, a, b, go, results } = await askForTwo();
    expect(approvals).toHaveLength(2);
    const { code, stdout } = await go("--allow", a, "--deny", b);
    expect([code, stdout]).toEqual([0, expect.stringContaining("I was told: done")]);
    expect(results()).toEqual([
      {
        text: expect.stringMatching(/^Receipt \d+: 5.00 EUR paid to ACME for invoice A1\.$/) as unknown,
        isError: false,
      },
      { text: "The person who was asked said no to this call of pay_invoice.", isError: true },
    ]);
  });

  test("may be answered one after the other: the task asks on for what is left", async () => {
    const { a, b, go, results } = await askForTwo();
    const first = await go("--deny", a, "--json");
    expect(first.code).toBe(3);
    expect(Waiting.parse(JSON.parse(first.stdout)).approvals.map(({ id }) => id)).toEqual([b]);
    expect((await go("--allow", "all")).code).toBe(0);
    expect(results().map(({ isError }) => isError)).toEqual([true, false]);
  });
});
