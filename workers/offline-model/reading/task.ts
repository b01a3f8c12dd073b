// Reads everything that a decision needs from the request: the question, the given text, the tools, the peers.
import {
  distinctPassages,
  parsePassages,
  parseSources,
  textBeforePassages,
  withoutSources,
  type Passage,
} from "#shared/retrieval/passages.ts";
import { relevantPassages } from "#shared/retrieval/relevance.ts";
import { assignRoles, knownPeers, type Peer, type Role } from "./peers.ts";
import type { MessagesRequest } from "../api/request.ts";
import { contextualQuestion } from "./talk.ts";
import { delegateProperties, knownTools, type KnownTool, type ToolKind } from "./tools.ts";
import { readTranscript, type Call, type Transcript } from "./transcript.ts";

export interface Task {
  readonly transcript: Transcript;
  /** The question with what it refers back to. */
  readonly question: string;
  /** The question as asked. */
  readonly asked: string;
  /** Passages in the message itself. */
  readonly given: readonly Passage[];
  /** Passages that tools and peers returned, each once. */
  readonly found: readonly Passage[];
  readonly tools: readonly KnownTool[];
  readonly peers: readonly Peer[];
  readonly roles: Partial<Record<Role, Peer>>;
}

/** Characters; a longer message is text to work on, with the question in its first paragraph. */
const LONG_MESSAGE = 600;
/** The head of a fetched page: title and address. */
const PAGE_HEAD = /^# (.*)\nsource: (.*)\n/;
/** A run of citations. Starts with a bracket, so that matching takes linear time. */
const CITATIONS = /\[\d+\](?:[\s,]*\[\d+\])*[\s,]*/g;
const LIST_MARK = /^[\s.,;•*-]+/;
const QUESTION_LINE = /^Question: (.+)$/m;

export function readTask(request: MessagesRequest): Task {
  const transcript = readTranscript(request);
  const all = request.tool_choice?.type === "none" ? [] : knownTools(request.tools ?? []);
  const own = all.filter(({ kind }) => kind !== "discover" && kind !== "delegate");
  // An agent that an agent asked, and that has tools of its own, asks no others: so chains end.
  const tools = transcript.askedBy !== null && own.length > 0 ? own : all;
  const { question, given } = readMessage(transcript.current.question);

  const seen: Pick<Task, "transcript" | "tools"> = { transcript, tools };
  const delegate = tools.find(({ kind }) => kind === "delegate");
  const listings = callsOf(seen, "discover")
    .filter(({ isError }) => !isError)
    .map(({ result }) => result);
  const peers = delegate === undefined ? [] : knownPeers(delegate, listings);
  return {
    ...seen,
    question: contextualQuestion(question, transcript.earlier),
    asked: question,
    given,
    found: distinctPassages(
      (["search", "fetch", "delegate"] as const).flatMap((kind) => callsOf(seen, kind)).flatMap(passagesOf),
    ),
    peers,
    roles: assignRoles(peers),
  };
}

/** Passages that the answer may quote. All passages of the message count: the asker chose them. Ranks once a task. */
export function usablePassages(task: Task): readonly Passage[] {
  let passages = usable.get(task);
  if (!passages) usable.set(task, (passages = [...task.given, ...relevantPassages(task.question, task.found)]));
  return passages;
}

const usable = new WeakMap<Task, readonly Passage[]>();

export function callsOf({ transcript, tools }: Pick<Task, "transcript" | "tools">, kind: ToolKind): Call[] {
  const names = new Set(tools.filter((tool) => tool.kind === kind).map(({ name }) => name));
  return transcript.current.calls.filter(({ name }) => names.has(name));
}

/** The call that asked this agent in this turn, if any. */
export function callTo(task: Task, peer: Peer | undefined): Call | undefined {
  return callsOf(task, "delegate").find((call) => {
    const tool = task.tools.find(({ name }) => name === call.name);
    return peer !== undefined && tool !== undefined && call.input[delegateProperties(tool).agent] === peer.id;
  });
}

function readMessage(message: string): { question: string; given: Passage[] } {
  const passages = parsePassages(message);
  const before = textBeforePassages(message);
  const [first = "", ...rest] = before.split(/\n\s*\n|(?<=^[^\n]{1,200}:)\s/);
  const named = QUESTION_LINE.exec(before)?.[1];
  if (passages.length > 0 || before.length < LONG_MESSAGE) return { question: named ?? before, given: passages };
  if (rest.length === 0)
    return { question: first.slice(0, 200), given: [{ title: "", source: "your message", text: first }] };
  return { question: named ?? first, given: [{ title: "", source: "your message", text: rest.join("\n\n") }] };
}

/** The passages of a result: passages, or the cited sentences of an answer with sources, or one fetched page. */
function passagesOf(call: Call): Passage[] {
  if (call.isError) return [];
  const passages = parsePassages(call.result);
  if (passages.length > 0) return passages;
  const sources = parseSources(call.result);
  if (sources.size > 0) {
    const texts = Map.groupBy(
      citedTexts(call.result).flatMap(({ text, numbers }) => [...new Set(numbers)].map((number) => ({ text, number }))),
      ({ number }) => number,
    );
    return [...sources].map(([number, source]) => ({
      title: source,
      source,
      text: (texts.get(number) ?? []).map(({ text }) => text).join(" "),
    }));
  }
  const [head, title = "", source = ""] = PAGE_HEAD.exec(call.result) ?? [];
  if (head !== undefined) return [{ title, source, text: call.result.slice(head.length).trim() }];
  const url = call.input["url"];
  return typeof url === "string" ? [{ title: url, source: url, text: call.result }] : [];
}

/** Splits text at its citations: "A. [1][2] B. [3]" gives A with 1 and 2, and B with 3. Drops list marks. */
export function citedTexts(answer: string): { text: string; numbers: number[] }[] {
  const cited: { text: string; numbers: number[] }[] = [];
  for (const line of withoutSources(answer).split("\n")) {
    let from = 0;
    for (const group of line.matchAll(CITATIONS)) {
      const text = line.slice(from, group.index).replace(LIST_MARK, "").trim();
      from = group.index + group[0].length;
      if (text !== "") cited.push({ text, numbers: [...group[0].matchAll(/\d+/g)].map(([number]) => Number(number)) });
    }
  }
  return cited;
}
