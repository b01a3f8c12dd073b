// A research team without Workers: the real rules and the real tools, joined by plain function calls.
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { formatPassages } from "#shared/retrieval/passages.ts";
import type { Passage } from "#shared/retrieval/passages.ts";
import { bm25 } from "#shared/retrieval/ranking.ts";
import { questionTerms, tokenize } from "#shared/retrieval/tokens.ts";
import { SILENT } from "#shared/tracing/tracer.ts";
import { NO_PEERS } from "../../support/no-peers.ts";
import { decide } from "../../../workers/offline-model/decide.ts";
import { MessagesRequest } from "../../../workers/offline-model/api/request.ts";
import type { InputMessage, ToolDefinition } from "../../../workers/offline-model/api/request.ts";
import { extractKeyPoints, writeKeyPoints } from "../../../workers/agents/summarizer/key-points.ts";
import { splitPassages } from "../../../workers/agents/searcher/document.ts";
import { atOnce } from "../../support/at-once.ts";
import { findSources, verifyClaim } from "../../../workers/agents/fact-checker/tools.ts";

export interface TestTool extends ToolDefinition {
  run(input: Record<string, unknown>): string | Promise<string>;
}

export interface Step {
  readonly agent: string;
  /** Names of the tools called side by side. */
  readonly tools: readonly string[];
  readonly inputs: readonly Record<string, unknown>[];
}

export const object = (properties: Record<string, unknown>, required = Object.keys(properties)) => ({
  type: "object",
  properties,
  required,
});
export const text = { type: "string" };

const folder = fileURLToPath(new URL("../../../jobs/corpus/", import.meta.url));
export const corpus: readonly Passage[] = readdirSync(folder)
  .toSorted()
  .map((name) => {
    const [head = "", ...body] = readFileSync(`${folder}${name}`, "utf8").split("\n");
    return { title: head.replace("# ", ""), source: name, text: body.join("\n").trim() };
  });

/** Each article cut as the searcher's index cuts it, with the words that it is found by; a title counts four times. */
const pieces = corpus.flatMap(({ title, source, text: body }) =>
  splitPassages(`# ${title}\n\n${body}`).map((piece) => ({
    passage: { title, source, text: piece },
    words: [...Array.from({ length: 4 }, () => tokenize(title)).flat(), ...tokenize(piece)],
  })),
);

/** The best eight pieces that share any word with the query, different articles preferred: what the searcher's index gives. */
export function searchCorpus(query: string): string {
  const scores = bm25(
    questionTerms(query),
    pieces.map(({ words }) => words),
  );
  const found = pieces.flatMap(({ passage }, index) =>
    (scores[index] ?? 0) > 0 ? [{ passage, score: scores[index] ?? 0 }] : [],
  );
  const seen = new Map<string, number>();
  const best = found
    .toSorted((a, b) => b.score - a.score)
    .slice(0, 40)
    .map(({ passage, score }) => {
      const turn = seen.get(passage.source) ?? 0;
      seen.set(passage.source, turn + 1);
      return { passage, worth: score * 0.6 ** turn };
    });
  const first = best.toSorted((a, b) => b.worth - a.worth).slice(0, 8);
  return first.length === 0 ? "Nothing was found." : formatPassages(first.map(({ passage }) => passage));
}

export const LISTING = [
  "- searcher (alive): Searches the web and reads pages. Skills: Web search, Read a page",
  "- summarizer (alive): Summarises texts and extracts their key points, keeping the sources. Skills: Summarize text, Extract key points",
  "- fact_checker (alive): Verifies claims against evidence and shows which sources support them. Skills: Verify a claim, Find supporting sources",
].join("\n");

/** Runs one agent until it answers; appends to `messages`. More than twelve rounds is an endless loop and throws. */
export async function runAgent(
  agent: string,
  system: string,
  tools: readonly TestTool[],
  messages: InputMessage[],
  steps: Step[],
): Promise<string> {
  for (let round = 0; round < 12; round += 1) {
    const definitions = tools.map(({ run: _, ...definition }) => definition);
    const decision = decide(
      MessagesRequest.parse({ model: "offline", max_tokens: 4096, system, messages, tools: definitions }),
    );
    if ("text" in decision) {
      messages.push({ role: "assistant", content: [{ type: "text", text: decision.text }] });
      return decision.text;
    }
    steps.push({
      agent,
      tools: decision.calls.map(({ name }) => name),
      inputs: decision.calls.map(({ input }) => input),
    });
    const id = (index: number) => `${agent}_${messages.length}_${index}`;
    const results = await Promise.all(decision.calls.map(({ name, input }) => settle(tools, name, input)));
    const uses = decision.calls.map((call, index) => ({ type: "tool_use", id: id(index), ...call }));
    messages.push(
      { role: "assistant", content: uses },
      {
        role: "user",
        content: results.map((result, index) => ({ type: "tool_result", tool_use_id: id(index), ...result })),
      },
    );
  }
  throw new Error(`${agent} did not come to an end`);
}

async function settle(tools: readonly TestTool[], name: string, input: Record<string, unknown>) {
  const tool = tools.find((one) => one.name === name);
  try {
    if (tool === undefined) throw new Error(`no tool ${name}`);
    return { content: await tool.run(input) };
  } catch (error) {
    return { content: error instanceof Error ? error.message : String(error), is_error: true };
  }
}

const toolCall = {
  id: "call",
  idempotencyKey: "key",
  signal: new AbortController().signal,
  agent: "fact_checker",
  config: {},
  env: {},
  contextId: "c",
  taskId: "t",
  artifact: () => {},
  peers: NO_PEERS,
  span: SILENT.start({ name: "test", attributes: {} }),
};

export const searcherTools: readonly TestTool[] = [
  {
    name: "web_search",
    description: "Searches the configured sources and returns passages.",
    input_schema: object({ query: text, limit: { type: "integer" } }, ["query"]),
    run: ({ query }) => searchCorpus(String(query)),
  },
  {
    name: "fetch_url",
    description: "Reads a public web page.",
    input_schema: object({ url: text }),
    run: ({ url }) => `# A page\nsource: ${String(url)}\n\nThe text of the page.`,
  },
];
export const summarizerTools: readonly TestTool[] = [
  {
    name: "extract_key_points",
    description: "Extracts the key points of a text.",
    input_schema: object({ text, limit: { type: "integer" }, focus: text }, ["text"]),
    run: (input) => writeKeyPoints(atOnce(extractKeyPoints(String(input["text"]), 5, String(input["focus"] ?? "")))),
  },
];
export const checkerTools: readonly TestTool[] = [verifyClaim, findSources].map((tool) => ({
  name: tool.name,
  description: tool.description,
  input_schema: tool.inputSchema,
  run: (input) => tool.run(input, toolCall),
}));

/** The coordinator's two tools; `answer` replaces an agent's run, e.g. to make it fail. */
export function peerTools(
  steps: Step[],
  answer: Record<string, () => string> = {},
  names: readonly string[] | null = ["searcher", "summarizer", "fact_checker"],
): TestTool[] {
  const tools: Record<string, readonly TestTool[]> = {
    searcher: searcherTools,
    summarizer: summarizerTools,
    fact_checker: checkerTools,
  };
  return [
    {
      name: "find_agents",
      description: "Finds agents that can help, by a full-text search over their names, descriptions and skills.",
      input_schema: object({ query: text }),
      run: () => LISTING,
    },
    {
      name: "query_agent",
      description: "Asks another agent and waits for its answer.",
      input_schema: object(
        { agent: names === null ? text : { type: "string", enum: names }, message: text, thread: { type: "integer" } },
        ["agent", "message"],
      ),
      async run(input) {
        const id = String(input["agent"]);
        const own = answer[id];
        if (own !== undefined) return own();
        const messages: InputMessage[] = [{ role: "user", content: String(input["message"]) }];
        const system = `You work.\nYou were asked by the agent "coordinator".\n`;
        return `${await runAgent(id, system, tools[id] ?? [], messages, steps)}\n\n(thread 1)`;
      },
    },
  ];
}

/** One question from a person to a coordinator that has never been asked before. */
export async function research(
  question: string,
  answer: Record<string, () => string> = {},
  names?: readonly string[] | null,
) {
  const steps: Step[] = [];
  const messages: InputMessage[] = [{ role: "user", content: question }];
  const tools = peerTools(steps, answer, names);
  const reply = await runAgent("coordinator", "You coordinate.", tools, messages, steps);
  return { reply, steps, messages, tools };
}
