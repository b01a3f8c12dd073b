// Reads the card of an agent of others (A2A 1.0, section 4.4.1; A2A 0.3, section 5.5): its words are data, and of its addresses only those at
// the card's own origin count.
import { A2A_PROTOCOL_VERSION } from "@a2a-js/sdk";
import { A2A_LEGACY_PROTOCOL_VERSION } from "@a2a-js/sdk/compat/v0_3";
import * as z from "zod";
import { foreignWords } from "../../text/foreign-words.ts";
import { oneLine } from "../../text/spaces.ts";
import { EXTENSION } from "../extensions.ts";
import { MAX_SKILLS } from "../card-fields.ts";
import { BINDINGS, type RemoteCard, type RemoteInterface } from "./card.ts";

const MAX_NAME = 200;
const MAX_DESCRIPTION = 2_000;

const Text = z.string().catch("");
/** What is read of a card of either version; anything else in it counts for nothing. */
const Card = z.looseObject({
  name: z.string().min(1),
  description: Text,
  capabilities: z
    .object({
      streaming: z.boolean().catch(false),
      extensions: z.array(z.object({ uri: Text }).catch({ uri: "" })).catch([]),
    })
    .catch({ streaming: false, extensions: [] }),
  skills: z.array(z.object({ name: Text }).catch({ name: "" })).catch([]),
  supportedInterfaces: z
    .array(
      z.object({ url: Text, protocolBinding: Text, protocolVersion: Text, tenant: Text }).catch(() => NO_INTERFACE),
    )
    .catch([]),
  // A2A 0.3
  url: Text,
  preferredTransport: Text,
  protocolVersion: Text,
  additionalInterfaces: z.array(z.object({ url: Text, transport: Text }).catch({ url: "", transport: "" })).catch([]),
});
const NO_INTERFACE = { url: "", protocolBinding: "", protocolVersion: "", tenant: "" };

/** Reads a card that was fetched from `address`. Throws an Error that says in words what is wrong with it. */
export function readCard(json: unknown, address: string): RemoteCard {
  const parsed = Card.safeParse(json);
  if (!parsed.success) throw new Error("what is there is no A2A card: it has no name");
  const card = parsed.data;
  const interfaces = interfacesOf(card);
  const spoken = interfaces.filter(isSpoken);
  if (spoken.length === 0) {
    const offered = interfaces.map(({ binding, version }) => `${binding} ${version}`.slice(0, 40)).slice(0, 5);
    throw new Error(
      `its card offers nothing that is spoken here (${offered.join(", ") || "no interface"}): A2A 1.0 over HTTP+JSON or JSON-RPC, or A2A 0.3 over JSON-RPC`,
    );
  }
  const { origin } = new URL(address);
  const at = spoken.find(({ url }) => URL.parse(url)?.origin === origin);
  if (at === undefined) {
    const elsewhere = URL.parse(spoken[0]?.url ?? "")?.origin ?? "an address that is none";
    throw new Error(`its card leads to ${elsewhere.slice(0, MAX_NAME)}, and not to ${origin}, where the card is`);
  }
  return {
    interface: at,
    streaming: card.capabilities.streaming,
    ...(card.capabilities.extensions.some(({ uri }) => uri === EXTENSION.approvals) ? { approvals: true } : {}),
    name: inOneLine(card.name, MAX_NAME),
    description: inOneLine(card.description, MAX_DESCRIPTION),
    skills: card.skills
      .slice(0, MAX_SKILLS)
      .map(({ name }) => inOneLine(name, MAX_NAME))
      .filter((name) => name !== ""),
  };
}

function inOneLine(text: string, most: number): string {
  return oneLine(foreignWords(text, most));
}

interface Offered {
  readonly url: string;
  readonly binding: string;
  readonly version: string;
  readonly tenant?: string | undefined;
}

/** In the order in which the card prefers them, those of 1.0 first. */
function interfacesOf(card: z.infer<typeof Card>): Offered[] {
  const listed = card.supportedInterfaces.map(({ url, protocolBinding, protocolVersion, tenant }) => ({
    url,
    binding: protocolBinding,
    version: minorOf(protocolVersion),
    ...(tenant === "" ? {} : { tenant }),
  }));
  const version = minorOf(card.protocolVersion || A2A_LEGACY_PROTOCOL_VERSION);
  const legacy = [{ url: card.url, transport: card.preferredTransport || "JSONRPC" }, ...card.additionalInterfaces].map(
    ({ url, transport }) => ({ url, binding: transport, version }),
  );
  const all = [...listed, ...legacy].filter(({ url }) => url !== "");
  return all.toSorted((a, b) => Number(isCurrent(b)) - Number(isCurrent(a)));
}

/** A patch version counts for nothing (A2A 1.0, section 3.6). */
function minorOf(version: string): string {
  return version.split(".", 2).join(".");
}

function isCurrent({ version }: Offered): boolean {
  return version === A2A_PROTOCOL_VERSION;
}

function isSpoken(offered: Offered): offered is RemoteInterface {
  const { binding, version } = offered;
  if (isCurrent(offered)) return BINDINGS.some((known) => known === binding);
  return version === A2A_LEGACY_PROTOCOL_VERSION && binding === "JSONRPC";
}
