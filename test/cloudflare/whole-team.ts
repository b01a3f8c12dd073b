// A job on Cloudflare that is changed again and again, and how to see that it is one release that answers.
import { type CloudflareEmulator, startCloudflare } from "../support/cloudflare/emulator.ts";
import { Deployment } from "../support/deployment.ts";
import { Answer } from "../e2e/shapes.ts";

export class WholeTeam implements AsyncDisposable {
  readonly cloudflare: CloudflareEmulator;
  readonly deployment: Deployment;
  readonly #agents: readonly string[];
  #version = 0;

  private constructor(cloudflare: CloudflareEmulator, deployment: Deployment, agents: readonly string[]) {
    this.cloudflare = cloudflare;
    this.deployment = deployment;
    this.#agents = agents;
  }

  /** Deploys it. `searchers`: beside the four agents that every question needs. */
  static async start(searchers: number): Promise<WholeTeam> {
    const cloudflare = await startCloudflare();
    const more = Array.from({ length: searchers }, (_, index) => `searcher_${index}`);
    const team = new WholeTeam(cloudflare, await Deployment.create(cloudflare.environment), [
      "searcher",
      "summarizer",
      "fact_checker",
      ...more,
    ]);
    await team.deployment.succeed("deploy", await team.nextFile());
    return team;
  }

  /** A job file in which each agent differs from those before. */
  async nextFile(): Promise<string> {
    this.#version++;
    const agents = ["coordinator", ...this.#agents].map(
      (id) =>
        `  - { id: ${id}, worker: ${id.replace(/_\d+$/, "").replace("_", "-")}, description: "Release ${this.#version}" }`,
    );
    return this.deployment.write(
      "team.yaml",
      `name: team
agents:
${agents.join("\n")}
topology: { type: hub-spoke, hub: coordinator, spokes: [${this.#agents.join(", ")}] }
deployment: { target: cloudflare, timeout: 30s }
`,
    );
  }

  /** Worker → the version that answers, with its share. */
  running(): Readonly<Record<string, string>> {
    const own = this.cloudflare.workers().filter(({ name }) => name.startsWith("troupe-team-"));
    return Object.fromEntries(
      own.map(({ name, deployments }) => [
        name,
        (deployments[0]?.versions ?? []).map(({ version_id, percentage }) => `${version_id} ${percentage}`).join(),
      ]),
    );
  }

  /** Which of the Workers run what they ran before. */
  same(before: Readonly<Record<string, string>>): "all" | "none" | "some" {
    const now = this.running();
    const names = [...new Set([...Object.keys(now), ...Object.keys(before)])];
    const same = names.filter((name) => now[name] === before[name]).length;
    if (same === names.length) return "all";
    return same === 0 ? "none" : "some";
  }

  async answers(): Promise<boolean> {
    const asked = await this.deployment.json("query", "team", "What is a Durable Object?");
    return Answer.parse(asked).state === "completed";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.deployment.close({ unchecked: true });
    await this.cloudflare[Symbol.asyncDispose]();
  }
}
