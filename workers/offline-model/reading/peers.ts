// Chooses which agent to ask for what. Roles follow from the descriptions of agents, never from known names.
import { bm25 } from "#shared/retrieval/ranking.ts";
import { readText } from "#shared/retrieval/reading.ts";
import { keyWords, tokenize } from "#shared/retrieval/tokens.ts";
import { asObject, delegateProperties, propertiesOf, type KnownTool } from "./tools.ts";

export interface Peer {
  readonly id: string;
  /** Description and skills; empty when unknown. */
  readonly text: string;
}

export const ROLES = ["search", "digest", "check"] as const;
export type Role = (typeof ROLES)[number];

/** Stems of words that describe an agent of each role. */
const ROLE_WORDS: Readonly<Record<Role, readonly string[]>> = {
  search: tokenize("search searcher searching web retrieve retrieval fetch browse documents pages research librarian"),
  digest: tokenize("summarise summarize summarizer summary digest condense shorten key points extract synthesize"),
  check: tokenize(
    "fact check checker checking verify verification validate validation claims evidence contradictions critic",
  ),
};

const LISTED = /^- ([A-Za-z][\w-]*)(?: \((\w+)\))?: (.*)$/;

/** All agents that can be asked: the tool's enum if it has one, or else the listed ones. Leaves out dead agents. */
export function knownPeers(delegate: KnownTool, listings: readonly string[]): Peer[] {
  const listed = new Map<string, string>();
  const dead = new Set<string>();
  for (const line of [delegate.description, ...listings].flatMap((text) => text.split(/\r?\n/))) {
    const [, id, state, text] = LISTED.exec(line.trim()) ?? [];
    if (id === undefined || text === undefined) continue;
    listed.set(id, text);
    if (state === "dead") dead.add(id);
    else dead.delete(id);
  }
  const names = asObject(propertiesOf(delegate.schema)[delegateProperties(delegate).agent])["enum"];
  const ids = Array.isArray(names) ? names.filter((name) => typeof name === "string") : [...listed.keys()];
  return ids.filter((id) => !dead.has(id)).map((id) => ({ id, text: listed.get(id) ?? "" }));
}

/** The best agent for each role, each agent in one role at most. A role without a matching agent is absent. */
export function assignRoles(peers: readonly Peer[]): Partial<Record<Role, Peer>> {
  const documents = peers.map(selfDescription);
  const pairs = ROLES.flatMap((role) =>
    bm25(ROLE_WORDS[role], documents).map((score, index) => ({ role, peer: peers[index], score })),
  );
  const assigned: Partial<Record<Role, Peer>> = {};
  const taken = new Set<Peer>();
  for (const { role, peer, score } of pairs.toSorted((a, b) => b.score - a.score)) {
    if (score <= 0 || peer === undefined || assigned[role] !== undefined || taken.has(peer)) continue;
    assigned[role] = peer;
    taken.add(peer);
  }
  return assigned;
}

/** The agent to ask when no role fits: the best match of words, or else the first. */
export function closestPeer(question: string, peers: readonly Peer[]): Peer | undefined {
  const scores = bm25(tokenize(keyWords(question).join(" ")), peers.map(selfDescription));
  const best = scores.reduce((top, score, index) => (score > (scores[top] ?? 0) ? index : top), 0);
  return peers[best];
}

/** Tokens of an agent's description. The id counts three times, as the most reliable part. */
function selfDescription({ id, text }: Peer): string[] {
  const name = tokenize(id.replaceAll(/[_-]/g, " "));
  return [...name, ...name, ...name, ...readText(text.replaceAll("_", " ")).words.tokens];
}
