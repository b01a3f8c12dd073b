// The keys of a job, over HTTP with the job's token.
import type * as z from "zod";

import { type Key, KeyList, MadeKey, type NewKey } from "#shared/control-plane/keys.ts";
import { Problem } from "#shared/http/problem.ts";
import { parseJson } from "#shared/text/parse-json.ts";

import { ownFetch } from "../../../project/own-fetch.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { Io } from "../../../terminal/io.ts";
import { jobToken } from "../state/secrets.ts";
import type { KeyStore } from "../../target.ts";
import { withControlPlane } from "./use.ts";

const TIMEOUT_MS = 10_000;

/** Runs `work` with the keys of a job. */
export async function withKeys<Result>(
  home: string,
  job: string,
  io: Io,
  work: (keys: KeyStore) => Promise<Result>,
): Promise<Result> {
  return withControlPlane(home, io, async ({ url, secret }) => work(new Keys(url, jobToken(secret, job), io.signal)));
}

export class Keys implements KeyStore {
  readonly #url: string;
  readonly #token: string;
  readonly #signal: AbortSignal;

  constructor(url: string, token: string, signal: AbortSignal) {
    this.#url = `${url}/v1/keys`;
    this.#token = token;
    this.#signal = signal;
  }

  async create(key: z.input<typeof NewKey>): Promise<MadeKey> {
    return MadeKey.parse(parseJson(await this.#ask("POST", "", key)));
  }

  async list(): Promise<readonly Key[]> {
    return KeyList.parse(parseJson(await this.#ask("GET", ""))).keys;
  }

  async revoke(name: string): Promise<void> {
    await this.#ask("DELETE", `/${encodeURIComponent(name)}`);
  }

  async #ask(method: string, path: string, body?: object): Promise<string> {
    const response = await ownFetch(this.#url + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = await response.text();
    if (response.ok) return text;
    const detail = Problem.safeParse(parseJson(text)).data?.detail ?? `The control plane answered ${response.status}.`;
    throw new CliError(response.status < 500 ? "bad_input" : "failed", detail);
  }
}
