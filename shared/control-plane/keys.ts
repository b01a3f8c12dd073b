// Wire format of keys: what the control plane keeps of them, and how agents ask about one. A key's text is shown once, when it is made;
// afterwards only its hash is known. Hashing a text of 256 random bits once is enough: nobody can try them all.
import { createHash, randomBytes } from "node:crypto";
import * as z from "zod";
import { mac, sameMac } from "../a2a/token.ts";

/** What a key may do. ask: send messages, cancel. approve: answer approvals. read: tasks. operate: the control plane. */
export const SCOPES = ["ask", "approve", "read", "operate"] as const;
export const Scope = z.enum(SCOPES);
export type Scope = z.infer<typeof Scope>;

/** Keys of a job that count, at the most. */
export const MAX_KEYS = 1_000;

/** The account of the person at the machine. Calls without a key belong to it, where those are allowed. */
const LOCAL = "local";

export const KeyName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must hold only a-z, 0-9 and -, at most 63 characters, and begin with no -")
  .refine((name) => name !== LOCAL, `is taken: choose another name, and the account \`${LOCAL}\` by \`as\``);

export const NewKey = z.strictObject({
  name: KeyName.meta({ description: "Also the key's account, unless `as` names another." }),
  scopes: z
    .array(Scope)
    .min(1)
    .max(SCOPES.length)
    .transform((scopes) => SCOPES.filter((scope) => scopes.includes(scope))),
  as: z.literal(LOCAL).optional().meta({ description: "The account of the person at the machine." }),
  expiresAt: z.iso
    .datetime()
    .refine((at) => Date.parse(at) > Date.now(), "must be in the future")
    .optional(),
});

export const Key = z.object({
  name: z.string(),
  /** Owner of the tasks. */
  account: z.string(),
  scopes: z.array(Scope),
  createdAt: z.iso.datetime(),
  expiresAt: z.nullable(z.iso.datetime()),
  revokedAt: z.nullable(z.iso.datetime()),
});
export const KeyList = z.object({ keys: z.array(Key) });
export const MadeKey = Key.extend({ key: z.string().meta({ description: "Shown only now." }) });

/** SHA-256 of a key, in hexadecimal. */
export const KeyHash = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hexadecimal");
/** What a key that counts allows. */
export const Account = Key.pick({ name: true, account: true, scopes: true, expiresAt: true });

export type NewKey = z.output<typeof NewKey>;
export type Key = z.output<typeof Key>;
export type MadeKey = z.output<typeof MadeKey>;
export type Account = z.output<typeof Account>;

const PATTERN = /^troupe_([a-z0-9-]{1,63})_([\w-]{43})([\w-]{22})$/;

/**
 * A new key: `troupe_<job>_<256 random bits><MAC>`, in base64url. By the MAC the control plane, whose secret makes it, refuses invented keys
 * without looking for them.
 */
export function newKeyText(job: string, secret: string): string {
  const random = randomBytes(32).toString("base64url");
  return `troupe_${job}_${random}${keyMac(secret, job, random)}`;
}

/** Whether a text in the form of a key was made with this secret. */
export function isMadeWith(secret: string, key: string): boolean {
  const [, job = "", random = "", made = ""] = PATTERN.exec(key) ?? [];
  return sameMac(made, keyMac(secret, job, random));
}

function keyMac(secret: string, job: string, random: string): string {
  return mac(secret, `key:${job}:${random}`, 22);
}

/** The job of a text in the form of a key; undefined for any other text. */
export function jobOfKey(text: string): string | undefined {
  return PATTERN.exec(text)?.[1];
}

export function hashOfKey(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Whether a key counts at this time, in milliseconds since the epoch. */
export function isExpired({ expiresAt }: Pick<Key, "expiresAt">, now: number): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= now;
}
