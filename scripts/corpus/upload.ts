// Brings an agent's corpus up to date over HTTP: asks what it has, sends what changed, takes away what is gone.
import { readFile } from "node:fs/promises";

import * as z from "zod";

import { signToken } from "#shared/a2a/token.ts";

import { CliError } from "../cli-error.ts";
import { troupe } from "../hint.ts";
import type { Io } from "../io.ts";
import { batches, difference, MAX_FILES } from "./batches.ts";
import { oneLine } from "../terminal-text.ts";
import type { Assignment } from "./prepare.ts";
import { progress } from "./progress.ts";
import type { Document } from "./walk.ts";

const Manifest = z.object({ files: z.array(z.object({ path: z.string(), hash: z.string() })) });

/** One request, the indexing of a megabyte of text included. */
const TIMEOUT_MS = 120_000;
const TOKEN_TTL_MS = 10 * 60_000;

/** Sends the documents; `key` is the job's key. May be repeated: what is there already is not sent again. */
export async function uploadCorpus({ agent, corpus }: Assignment, key: string, io: Io): Promise<void> {
  const call = caller(`${agent.url}/corpus`, agent.id, key, io.signal);
  const manifest = Manifest.parse(await (await call("GET", "/manifest")).json());
  const { send, remove } = difference(corpus.documents, manifest.files);
  const report = progress(io, `Indexing ${corpus.root}`, send.length);
  const tooLarge: string[] = [];
  let done = 0;
  const put = async (group: readonly Document[]): Promise<void> => {
    const files = await Promise.all(group.map(toWire));
    const response = await call("POST", "/files", { root: corpus.root, files }, [413]);
    if (response.status === 413 && group.length > 1) {
      // Escaped as JSON, text can grow beyond what its bytes promised.
      const half = Math.ceil(group.length / 2);
      await put(group.slice(0, half));
      return put(group.slice(half));
    }
    if (response.status === 413) tooLarge.push(...group.map(({ path }) => path));
    done += group.length;
    report(done);
  };
  for (const group of batches(send)) await put(group);
  // The folder may have been typed differently while nothing in it has changed.
  if (send.length === 0) await put([]);
  for (let start = 0; start < remove.length; start += MAX_FILES) {
    await call("POST", "/remove", { paths: remove.slice(start, start + MAX_FILES) });
  }
  if (send.length > 0 || remove.length > 0 || corpus.skipped > 0) {
    const parts = [`${send.length - tooLarge.length} sent`, `${remove.length} removed`];
    if (corpus.skipped > 0) parts.push(`${corpus.skipped} skipped (not text)`);
    io.note(`Documents of ${agent.id} from ${corpus.root}: ${corpus.documents.length} (${parts.join(", ")})`);
  }
  for (const path of tooLarge) io.note(`${oneLine(path)} is too large to be indexed, and was left out.`);
}

async function toWire({ path, hash, type, file }: Document) {
  return { path, hash, type, text: new TextDecoder().decode(await readFile(file)) };
}

function caller(base: string, agent: string, key: string, signal: AbortSignal) {
  return async (method: string, path: string, body?: unknown, accepted: readonly number[] = []): Promise<Response> => {
    signal.throwIfAborted();
    const token = signToken(key, { from: "cli", to: agent, principal: "local", chain: [] }, TOKEN_TTL_MS);
    const response = await fetch(base + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (response.ok || accepted.includes(response.status)) return response;
    throw new CliError(
      "failed",
      `The agent ${agent} does not take the documents: ${method} /corpus${path} answered ${response.status} ${await response.text()}`,
      `The job runs. Its log may say more: ${troupe`logs`} <job>`,
    );
  };
}
