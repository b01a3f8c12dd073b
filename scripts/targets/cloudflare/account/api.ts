// Cloudflare's API. Writes go through wrangler, but for what it has no command for. https://developers.cloudflare.com/api
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";

import { parseJson } from "#shared/text/parse-json.ts";
import { reasonOf } from "#shared/text/reason.ts";
import { CliError } from "../../../terminal/cli-error.ts";

/** What to do about a token that is refused. */
export const RIGHTS = 'CLOUDFLARE_API_TOKEN needs the right "Workers Scripts: Edit" in this account.';
const DEFAULT_URL = "https://api.cloudflare.com/client/v4";
const LIMIT_MS = 20_000;
/** Pauses before further tries, in milliseconds. */
const PAUSES = [500, 1_500, 4_000] as const;
const LONGEST_PAUSE_MS = 10_000;

const Envelope = z.object({ result: z.unknown() });
const Failure = z.object({ errors: z.array(z.object({ code: z.int(), message: z.string() })) });

export interface Credentials {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
}

/** The credentials in the environment. Throws CliError without a token. */
export function credentialsFrom(environment: NodeJS.ProcessEnv): Credentials {
  const token = (environment["CLOUDFLARE_API_TOKEN"] ?? "").trim();
  if (token === "") {
    throw new CliError(
      "bad_input",
      "The variable CLOUDFLARE_API_TOKEN is not set.",
      'Make a token with the template "Edit Cloudflare Workers" (https://dash.cloudflare.com/profile/api-tokens): export CLOUDFLARE_API_TOKEN=…',
    );
  }
  const url = (environment["CLOUDFLARE_API_BASE_URL"] ?? "").trim();
  return { url: (url === "" ? DEFAULT_URL : url).replace(/\/+$/, ""), token };
}

export interface ApiCall {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the API's address. */
  readonly path: string;
  /** JSON. */
  readonly body?: unknown;
}

/**
 * The `result` of a GET; undefined where Cloudflare answers 404. Tries again where Cloudflare is busy or away. Throws CliError, also where
 * the answer does not fit the schema.
 */
export async function read<Schema extends z.ZodType>(
  credentials: Credentials,
  path: string,
  schema: Schema,
  signal: AbortSignal,
): Promise<z.infer<Schema> | undefined> {
  return call(credentials, { method: "GET", path }, schema, signal);
}

/** The same for any call that may be repeated: it is repeated, too. */
export async function call<Schema extends z.ZodType>(
  credentials: Credentials,
  asked: ApiCall,
  schema: Schema,
  signal: AbortSignal,
): Promise<z.infer<Schema> | undefined> {
  const response = await answered(credentials, asked, signal);
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw refusal(response, asked);
  const envelope = Envelope.safeParse(parseJson(response.text)).data;
  const result = schema.safeParse(envelope?.result);
  if (result.success) return result.data;
  throw new CliError(
    "failed",
    `Cloudflare's answer to ${asked.method} ${asked.path} is not as it was known to be.`,
    "Troupe needs an update.",
  );
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function answered(
  { url, token }: Credentials,
  { method, path, body }: ApiCall,
  signal: AbortSignal,
): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const pause = PAUSES[tries];
    try {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
      });
      const text = await response.text();
      const isBusy = response.status === 429 || response.status >= 500;
      if (!isBusy || pause === undefined) return { status: response.status, text };
      const asked = Number(response.headers.get("retry-after")) * 1_000;
      await delay(Math.min(asked > 0 ? asked : pause, LONGEST_PAUSE_MS), undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (pause === undefined) throw away(error);
      await delay(pause, undefined, { signal });
    }
  }
}

function away(error: unknown): CliError {
  return new CliError(
    "failed",
    `Cloudflare's API cannot be reached: ${reasonOf(error)}.`,
    "Try again when the network is there.",
  );
}

function refusal({ status, text }: Answer, { method, path }: ApiCall): CliError {
  const said = Failure.safeParse(parseJson(text)).data?.errors ?? [];
  const why = said.map(({ code, message }) => `${message} [${code}]`).join("; ") || `HTTP ${status}`;
  if (status === 401 || status === 403 || said.some(({ code }) => code === 10_000)) {
    const zone = 'CLOUDFLARE_API_TOKEN needs the rights "Workers Routes: Edit" and "Zone: Read" in the zone.';
    const next = path.startsWith("/zones") ? zone : RIGHTS;
    return new CliError("failed", `Cloudflare refuses the token for ${path}: ${why}.`, next);
  }
  return new CliError("failed", `Cloudflare refuses ${method} ${path}: ${why}.`);
}
