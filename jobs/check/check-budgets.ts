// A budget in US dollars needs the price of every model that may spend from it: an unknown price is not guessed.
import type { Mistake } from "../file/mistake.ts";
import { resolveModel } from "../schema/model.ts";
import { PRICED_MODELS, PRICES_AS_OF } from "../schema/prices.ts";
import type { Agent, Job } from "../schema/schema.ts";
import type { Path, Source } from "../file/source.ts";

/** Agents without a price. Their max_usd stands at `at`; their price must be given at `where`. */
interface Unpriced {
  readonly at: Path;
  readonly where: string;
  readonly model: string;
  readonly agents: string[];
}

/** `hasAnthropicKey` decides `provider: auto`; offline models cost nothing. */
export function checkBudgets(job: Job, source: Source, hasAnthropicKey: boolean): Mistake[] {
  const found = new Map<string, Unpriced>();
  for (const [index, agent] of job.agents.entries()) {
    if (agent.remote !== undefined) continue;
    const { name: model, price } = resolveModel(job.model, agent.model, { hasAnthropicKey });
    const at = price ? undefined : limitOf(job, agent, index);
    if (!at) continue;
    // The job's price does not apply to a model with another name.
    const isOwn = agent.model?.name !== undefined && agent.model.name !== job.model.name;
    const where = isOwn ? `the agent "${agent.id}"` : "the job";
    const key = JSON.stringify([at, where, model]);
    const others = found.get(key)?.agents ?? [];
    found.set(key, { at, where, model, agents: [...others, agent.id] });
  }
  return [...found.values()].map(({ at, where, model, agents }) => {
    const whose = `${agents.length === 1 ? "the agent" : "the agents"} ${agents.map((id) => `"${id}"`).join(", ")}`;
    const message = `max_usd needs the price of every model, but that of "${model}", which ${whose} would use, is unknown`;
    const line = `model: { name: ${model}, price: { input: …, output: … } }`;
    const known = `Known (as of ${PRICES_AS_OF}): ${PRICED_MODELS.join(", ")}.`;
    return source.mistake(at, message, `Give ${where} its price, in US dollars per million tokens: ${line}. ${known}`);
  });
}

/** The path of the limit in dollars that applies to the agent: its own, or the query's; undefined without one. */
function limitOf(job: Job, agent: Agent, index: number): Path | undefined {
  if (agent.budget.max_usd !== undefined) return ["agents", index, "budget", "max_usd"];
  return job.budget?.max_usd === undefined ? undefined : ["budget", "max_usd"];
}
