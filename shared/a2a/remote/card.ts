// What a deployment keeps of the card of an agent of others, and where that card is.
import * as z from "zod";

export const BINDINGS = ["HTTP+JSON", "JSONRPC"] as const;

const Interface = z.object({
  url: z.string(),
  binding: z.enum(BINDINGS),
  /** Major and minor, such as 1.0. */
  version: z.string(),
  /** Stands in each request (A2A 1.0, section 4.4.6). */
  tenant: z.optional(z.string()),
});
export type RemoteInterface = z.infer<typeof Interface>;

/** A public key as a JSON Web Key (RFC 7517). */
const PublicKey = z.record(z.string(), z.string());
export type PublicKey = z.infer<typeof PublicKey>;

export const RemoteCard = z.object({
  interface: Interface,
  streaming: z.boolean(),
  /** It declares Troupe's extension for approvals. */
  approvals: z.optional(z.literal(true)),
  name: z.string(),
  description: z.string(),
  /** Names. */
  skills: z.array(z.string()),
  /** Signs the card; absent where the card is not signed. */
  key: z.optional(PublicKey),
});
export type RemoteCard = z.infer<typeof RemoteCard>;

/** Where the card is: at the address itself where that names a JSON file, else at the well-known path below it. */
export function cardAddress(address: string): string {
  const url = new URL(address);
  if (url.pathname.endsWith(".json")) return url.href;
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return new URL(".well-known/agent-card.json", url).href;
}
