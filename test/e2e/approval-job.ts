// The job jobs/approvals.yaml as it stands, deployed for a test, and what can be seen of it from outside.
import { readFile } from "node:fs/promises";

import { type Task, TaskState } from "@a2a-js/sdk";
import type { Client } from "@a2a-js/sdk/client";
import * as z from "zod";

import { Approval } from "#shared/loop/log/approval.ts";

import { connect, tasksOf } from "../support/a2a-client.ts";
import { Deployment, eventually, type Outcome } from "../support/deployment.ts";
import { Answer, NEVER, Status } from "./shapes.ts";

const FILE = new URL("../../jobs/approvals.yaml", import.meta.url);
const LIMIT_MS = 10_000;

export const Waiting = Answer.omit({ usage: true }).extend({
  state: z.literal("input-required"),
  approvals: z.array(Approval),
});
export type Waiting = z.infer<typeof Waiting>;

export class ApprovalJob implements AsyncDisposable {
  readonly deployment: Deployment;
  readonly name: string;
  readonly #clients: ReadonlyMap<string, Client>;

  private constructor(deployment: Deployment, name: string, clients: ReadonlyMap<string, Client>) {
    this.deployment = deployment;
    this.name = name;
    this.#clients = clients;
  }

  /** Deploys it under another name; `approvals` stands in for that part of the file, and `more` is added. */
  static async deploy(name: string, { approvals = "", more = "" } = {}): Promise<ApprovalJob> {
    const text = (await readFile(FILE, "utf8")).replace(/^name: .*$/m, `name: ${name}`);
    const [head = ""] = text.split(/^approvals:$/m);
    const deployment = await Deployment.create();
    const job = approvals === "" ? text : `${head}approvals: ${approvals}\n`;
    await deployment.succeed("deploy", await deployment.write(`${name}.yaml`, `${job}${more}\n${NEVER}\n`));
    const { agents } = Status.parse(await deployment.json("status", name));
    const clients = await Promise.all(agents.map(async ({ id, url }) => [id, await connect(url)] as const));
    return new ApprovalJob(deployment, name, new Map(clients));
  }

  async query(...args: string[]): Promise<Outcome> {
    return this.deployment.troupe("query", this.name, ...args);
  }

  /** Asks for a payment, which has to wait for an approval. */
  async ask(invoice: string, payee = "ACME"): Promise<Waiting> {
    const { code, stdout, stderr } = await this.query(`Pay invoice ${invoice} over 120 EUR to ${payee}`, "--json");
    if (code !== 3) throw new Error(`It exited with ${String(code)}: ${stderr}`);
    return Waiting.parse(JSON.parse(stdout));
  }

  /** What the ledger says, by the agent's own read-only tool. */
  async paid(): Promise<string[]> {
    const said = await this.deployment.succeed("query", this.name, "Which payments were made?", "--agent", "payments");
    return [...said.matchAll(/for invoice (\S+)\./g)].map(([, invoice = ""]) => invoice);
  }

  client(agent: string): Client {
    const client = this.#clients.get(agent);
    if (!client) throw new Error(`There is no agent ${agent}.`);
    return client;
  }

  /** The task that a query opened at an agent: the first of its session there. */
  async taskAt(agent: string, { contextId }: Pick<Waiting, "contextId">): Promise<Task> {
    const client = this.client(agent);
    const tasks = await tasksOf(client);
    const ids = tasks.filter((task) => task.contextId.split("~")[0] === contextId).map(({ id }) => id);
    // Threads of a session are numbered as they are opened, and so are the tasks of a thread.
    const [id] = ids.toSorted();
    if (id === undefined) throw new Error(`${agent} has no task in this session.`);
    return client.getTask({ tenant: "", id });
  }

  /** Waits until the query's task at an agent has this state. */
  async reaches(agent: string, query: Pick<Waiting, "contextId">, state: TaskState): Promise<Task> {
    const look = async () => {
      const task = await this.taskAt(agent, query);
      return task.status?.state === state ? task : undefined;
    };
    return eventually(look, LIMIT_MS, `the task at ${agent} becomes ${TaskState[state]}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.deployment.close();
  }
}
