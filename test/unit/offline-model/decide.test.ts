import { expect, test } from "vitest";
import { decide } from "../../../workers/offline-model/decide.ts";
import { MessagesRequest } from "../../../workers/offline-model/request.ts";
import { parseSources } from "#shared/retrieval/passages.ts";
import { splitSentences } from "#shared/retrieval/sentences.ts";
import { citedTexts } from "../../../workers/offline-model/task.ts";
import {
  LISTING,
  corpus,
  object,
  peerTools,
  research,
  runAgent,
  searchCorpus,
  searcherTools,
  summarizerTools,
  checkerTools,
  text,
} from "./team.ts";

const turn = (question: string, tools: readonly object[] = [], more: object = {}) =>
  decide(
    MessagesRequest.parse({
      model: "offline",
      max_tokens: 1024,
      messages: [{ role: "user", content: question }],
      tools,
      ...more,
    }),
  );

test("a research question goes through all four agents, the last two side by side", async () => {
  const { reply, steps } = await research("How do Durable Objects keep their data?");
  expect(
    steps
      .filter(({ agent }) => agent === "coordinator")
      .map(({ tools, inputs }) => [tools, inputs.map((input) => input["agent"])]),
  ).toEqual([
    [["find_agents"], [undefined]],
    [["query_agent"], ["searcher"]],
    [
      ["query_agent", "query_agent"],
      ["summarizer", "fact_checker"],
    ],
  ]);
  expect(new Set(steps.map(({ agent }) => agent))).toEqual(
    new Set(["coordinator", "searcher", "summarizer", "fact_checker"]),
  );
  expect(reply).toMatch(/SQLite database\. \[1\]/);
  expect(reply).toMatch(/Check: 2 claims compared with the passages by word overlap: 2 supported/);
  expect(reply).toMatch(/\nSources:\n\[1\] durable-object-sqlite-storage\.md/);
  expect(reply.match(/no language model/g)).toHaveLength(1);
});

test.each([
  "How do Durable Objects keep their data?",
  "What is the difference between A2A and MCP?",
  "Who published Cap'n Proto?",
  "How are alarms retried?",
  "What does KV not guarantee?",
])("every sentence that answers %j stands in the source it cites", async (question) => {
  const { reply } = await research(question);
  const sources = parseSources(reply);
  const [body = ""] = reply.split("\n\n");
  const cited = citedTexts(body);
  expect(cited.length).toBeGreaterThan(1);
  for (const { text: sentence, numbers } of cited) {
    const article = corpus.find(({ source }) => source === sources.get(numbers[0] ?? 0));
    expect(article && splitSentences(article.text)).toContain(sentence);
  }
});

test("an agent's own numbering is resolved by its list of sources", async () => {
  const answer = "Iron is a metal. [1]\n\nSources:\n[1] b.md";
  const passages = "[1] Iron in air\nsource: a.md\nIron rusts.\n\n[2] Iron as metal\nsource: b.md\nIron is a metal.";
  const { reply } = await research("What is iron?", { searcher: () => passages, summarizer: () => answer });
  expect(reply).toMatch(/^Iron is a metal\. \[1\][^]*Sources:\n\[1\] b\.md$/);
});

test("without names in the schema, agents are chosen from what find_agents listed", async () => {
  const { reply, steps } = await research("What is workerd?", {}, null);
  expect(new Set(steps.map(({ agent }) => agent)).size).toBe(4);
  expect(reply).toContain("[1] workerd.md");
});

test("roles are told from descriptions, not from names", () => {
  const renamed = LISTING.replace("searcher", "alpha").replace("summarizer", "beta").replace("fact_checker", "gamma");
  const tools = peerTools([], {}, null).map(({ run: _, ...tool }) => tool);
  const found = turn("What is workerd?", tools, {
    messages: [
      { role: "user", content: "What is workerd?" },
      { role: "assistant", content: [{ type: "tool_use", id: "1", name: "find_agents", input: { query: "x" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: renamed }] },
    ],
  });
  expect(found).toMatchObject({ calls: [{ name: "query_agent", input: { agent: "alpha" } }] });
});

test("a question that no source is about is answered honestly, without a citation", async () => {
  const { reply } = await research("What is the capital of Mongolia?");
  expect(reply).toMatch(/^Nothing relevant was found/);
  expect(reply).not.toMatch(/\[\d+\]|Sources:/);
});

test("an agent that fails is named and the rest is used", async () => {
  const broken = () => {
    throw new Error("connection lost");
  };
  const { reply } = await research("What is workerd?", { fact_checker: broken, summarizer: broken });
  expect(reply).toContain("The agent fact_checker could not help: connection lost");
  expect(reply).toContain("[1] workerd.md");
  const silent = await research("What is workerd?", { searcher: broken });
  expect(silent.reply).toMatch(/Nothing relevant was found[^]*The agent searcher could not help/);
});

test("a follow-up is searched with what it refers to, and the conversation is remembered", async () => {
  const { messages, tools, steps } = await research("What is workerd?");
  steps.length = 0;
  messages.push({ role: "user", content: "And which licence does it have?" });
  const reply = await runAgent("coordinator", "You coordinate.", tools, messages, steps);
  expect(steps.find(({ agent }) => agent === "searcher")?.inputs[0]?.["query"]).toMatch(/licence.*workerd/);
  expect(reply).toContain("Apache 2.0");
  messages.push({ role: "user", content: "What did I ask before?" });
  expect(await runAgent("coordinator", "You coordinate.", tools, messages, steps)).toMatch(
    /^You asked: “And which licence does it have\?”\n\nBefore that: “What is workerd\?”/,
  );
});

test("what a person said of themselves is quoted back", () => {
  const messages = [
    { role: "user", content: "My favourite number is 42." },
    { role: "assistant", content: "Noted." },
    { role: "user", content: "What is my favourite number?" },
  ];
  expect(turn("", [], { messages })).toMatchObject({
    text: expect.stringContaining("You said: “My favourite number is 42.”"),
  });
});

test.each(["Hello!", "thanks", "Who are you?"])("%j is answered without a tool", (said) => {
  expect(turn(said, peerTools([]))).toMatchObject({ text: expect.stringContaining("no language model") });
});

test("an agent asked by an agent uses its own tools and never asks on", () => {
  const decision = turn("What is workerd?", [...peerTools([]), ...searcherTools], {
    system: 'Work.\nYou were asked by the agent "coordinator".\n',
  });
  expect(decision).toEqual({ calls: [{ name: "web_search", input: { query: "workerd" } }] });
});

test("between agents the answer is passages, without a word about the model", async () => {
  const answer = await runAgent(
    "searcher",
    'You were asked by the agent "coordinator".',
    searcherTools,
    [{ role: "user", content: "What is workerd?" }],
    [],
  );
  expect(answer).toMatch(/^\[1\] workerd\nsource: workerd\.md\n/);
  expect(answer).not.toContain("no language model");
});

test("thin results from the web are read in full, two pages at most", async () => {
  const web = (number: number) =>
    `[${number}] Rust of iron ${number}\nsource: https://example.org/${number}\nIron rusts.`;
  const tools = searcherTools.map((tool) =>
    tool.name === "web_search" ? { ...tool, run: () => [1, 2, 3].map(web).join("\n\n") } : tool,
  );
  const steps: Parameters<typeof runAgent>[4] = [];
  await runAgent("searcher", "", tools, [{ role: "user", content: "Why does iron rust?" }], steps);
  expect(steps.map((step) => step.tools)).toEqual([["web_search"], ["fetch_url", "fetch_url"]]);
});

test("a person can give the text: it is summarised or checked without a search", async () => {
  const given = `Question: How do alarms retry?\n\n${searchCorpus("alarm retry backoff")}`;
  const summary = await runAgent("summarizer", "", summarizerTools, [{ role: "user", content: given }], []);
  expect(summary).toMatch(/- .*retried with exponential backoff.*\[\d\]/);
  const check = await runAgent("fact_checker", "", checkerTools, [{ role: "user", content: given }], []);
  expect(check).toMatch(/^2 claims compared[^]*- supported: “/);
});

test("the tool whose description fits is called once and its result given", async () => {
  const tools = [
    {
      name: "get_weather",
      description: "Current weather of a city.",
      input_schema: object({ city: text, unit: { type: "string", enum: ["celsius", "fahrenheit"] } }),
      run: () => "18 degrees",
    },
    {
      name: "roll_dice",
      description: "Rolls dice.",
      input_schema: object({ sides: { type: "integer" } }),
      run: () => "4",
    },
  ];
  const steps: Parameters<typeof runAgent>[4] = [];
  const answer = await runAgent(
    "other",
    "",
    tools,
    [{ role: "user", content: "What is the weather in New York in fahrenheit?" }],
    steps,
  );
  expect(steps).toEqual([
    { agent: "other", tools: ["get_weather"], inputs: [{ city: "New York", unit: "fahrenheit" }] },
  ]);
  expect(answer).toContain("18 degrees");
});

test("tool_choice is obeyed: a named tool is called, none calls nothing", () => {
  expect(turn("What is workerd?", searcherTools, { tool_choice: { type: "tool", name: "fetch_url" } })).toMatchObject({
    calls: [{ name: "fetch_url" }],
  });
  expect(turn("What is workerd?", searcherTools, { tool_choice: { type: "none" } })).toHaveProperty("text");
});

test("an agent whose neighbours fit no role asks the one whose words fit, at once", () => {
  const query_agent = {
    name: "query_agent",
    description:
      "Asks another agent and waits for its answer. The agents you can ask:\n- gardener: Waters plants. Skills: Watering\n- cashier: Pays invoices. Skills: Paying",
    input_schema: object({ agent: { type: "string", enum: ["gardener", "cashier"] }, message: text }),
  };
  const [find] = peerTools([]).map(({ run: _, ...tool }) => tool);
  expect(turn("Pay invoice 4711 to ACME", [...(find ? [find] : []), query_agent])).toEqual({
    calls: [{ name: "query_agent", input: { agent: "cashier", message: "Pay invoice 4711 to ACME" } }],
  });
});

test("a tool that was refused is all that is said, without a word on missing tools", async () => {
  const pay = {
    name: "pay_invoice",
    description: "Pays one invoice.",
    input_schema: object({ invoice: text }),
    run: () => {
      throw new Error("the person said no");
    },
  };
  const answer = await runAgent("cashier", "", [pay], [{ role: "user", content: "Pay invoice 4711" }], []);
  expect(answer).toMatch(/^The tool pay_invoice failed: the person said no\n\n\(Answered by rules/);
});
