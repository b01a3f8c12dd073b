// Budgets in dollars: never with a price that is not known, wherever the model is named.
import { expect, test } from "vitest";

import { loadJob } from "#jobs/load.ts";
import { formatMistake } from "#jobs/file/mistake.ts";
import { PRICED_MODELS, PRICES_AS_OF, priceOf } from "#jobs/schema/prices.ts";

function mistakesOf(text: string, variables: readonly string[] = ["ANTHROPIC_API_KEY"]): string[] {
  const surroundings = { workers: ["searcher"], variables: new Set(variables) };
  const result = loadJob(text, "job.yaml", surroundings);
  return "mistakes" in result ? result.mistakes.map((mistake) => formatMistake(mistake).replace("\n    ", " | ")) : [];
}

const KNOWN = `Known (as of ${PRICES_AS_OF}): ${PRICED_MODELS.join(", ")}.`;

function job(agents: readonly string[], more: string): string {
  const lines = agents.map((agent) => `  - { worker: searcher, ${agent} }`).join("\n");
  return `name: x\nagents:\n${lines}\ntopology: { type: mesh }\nexecution: { entry_point: a }\n${more}`;
}

test("a query's budget in dollars names the agents whose model has no known price, and the line to write", () => {
  const agents = ["id: a", "id: b", "id: c, model: { name: claude-sonnet-5-5 }", "id: d, model: { name: other }"];
  const text = job(agents, "model: { name: mine }\nbudget: { max_usd: 1 }\n");
  expect(mistakesOf(text)).toEqual([
    `job.yaml:10:20: max_usd needs the price of every model, but that of "mine", which the agents "a", "b" would use, is unknown | Give the job its price, in US dollars per million tokens: model: { name: mine, price: { input: …, output: … } }. ${KNOWN}`,
    `job.yaml:10:20: max_usd needs the price of every model, but that of "other", which the agent "d" would use, is unknown | Give the agent "d" its price, in US dollars per million tokens: model: { name: other, price: { input: …, output: … } }. ${KNOWN}`,
  ]);
});

test("an agent's own budget in dollars is shown at the agent", () => {
  const agents = ["id: a", "id: b, budget: { max_usd: 1 }"];
  expect(mistakesOf(job(agents, "model: { name: mine }\n"))).toEqual([
    expect.stringContaining(
      'job.yaml:4:51: max_usd needs the price of every model, but that of "mine", which the agent "b"',
    ),
  ]);
});

test.for([
  ["the job gives the price", "model: { name: mine, price: { input: 1, output: 2 } }\nbudget: { max_usd: 1 }", ["KEY"]],
  ["the price is known", "model: { name: claude-haiku-4-5-20251001 }\nbudget: { max_usd: 1 }", ["KEY"]],
  ["no dollars are limited", "model: { name: mine }\nbudget: { max_tokens: 1000 }", ["KEY"]],
  ["the model is offline", "model: { name: mine, provider: offline }\nbudget: { max_usd: 1 }", ["KEY"]],
  ["there is no key, so the model is offline", "model: { name: mine }\nbudget: { max_usd: 1 }", []],
] as [string, string, string[]][])("nothing is wrong where %s", ([, more, keys]) => {
  const variables = keys.length === 0 ? [] : ["ANTHROPIC_API_KEY"];
  expect(mistakesOf(job(["id: a"], more), variables)).toEqual([]);
});

test("a provider that is named needs the price even before there is a key", () => {
  const text = job(["id: a"], "model: { provider: anthropic, name: mine }\nbudget: { max_usd: 1 }\n");
  expect(mistakesOf(text, [])).toHaveLength(1);
});

test("the job's price does not stand for another model's, which the agent has to give", () => {
  const agent = "id: a, model: { name: other }";
  const more = "model: { name: mine, price: { input: 1, output: 2 } }\nbudget: { max_usd: 1 }\n";
  expect(mistakesOf(job([agent], more))).toEqual([expect.stringContaining('Give the agent "a" its price')]);
  const priced = "id: a, model: { name: other, price: { input: 1, output: 2 } }";
  expect(mistakesOf(job([priced], more))).toEqual([]);
});

test("a budget in dollars has a size that is still counted exactly", () => {
  expect(mistakesOf(job(["id: a"], "budget: { max_usd: 9001 }\n"))).toEqual([
    expect.stringContaining("budget.max_usd"),
  ]);
  expect(mistakesOf(job(["id: a"], "budget: { max_usd: 9000 }\n"))).toEqual([]);
});

test("a model that has the name of something else has no price", () => {
  expect(priceOf("constructor")).toBeUndefined();
  expect(priceOf("claude-sonnet-5-5-20261001")).toEqual(priceOf("claude-sonnet-5-5"));
});
