// Updates an agent's corpus over HTTP: asks for its documents, sends changed ones, removes those that are gone.
import * as z from "zod";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import type { Io } from "../terminal/io.ts";
import { batches, difference, MAX_FILES } from "./batches.ts";
import { Containers } from "./containers.ts";
import { describeLeftOut, type LeftOut } from "./left-out.ts";
import { fileError } from "./list-files.ts";
import type { Assignment } from "./prepare.ts";
import { progress } from "./progress.ts";
import { type Document, readText } from "./walk.ts";

const Manifest = z.object({ files: z.array(z.object({ path: z.string(), hash: z.string() })) });

/** Limit of one request; the agent indexes a megabyte of text in it. */
const TIMEOUT_MS = 120_000;

/**
 * Sends the documents by `signing`, which signs each request. May be repeated: known documents are not sent again. Returns the files that were left
 * out, of the folder and by the agent. Throws CliError when the agent refuses.
 */
export async function uploadCorpus({ agent, corpus }: Assignment, signing: typeof fetch, io: Io): Promise<LeftOut[]> {
  const call = caller(`${agent.url}/corpus`, agent.id, signing, io.signal);
  const manifest = Manifest.parse(await (await call("GET", "/manifest")).json());
  const { send, remove } = difference(corpus.documents, manifest.files);
  const report = progress(io, `Indexing ${corpus.root}`, send.length);
  await using containers = new Containers();
  const unread: LeftOut[] = [];
  let done = 0;
  const put = async (files: readonly WireFile[]): Promise<void> => {
    const response = await call("POST", "/files", { root: corpus.root, files }, [413]);
    if (response.status === 413 && files.length > 1) {
      // JSON escapes can make a text larger than its file.
      const half = Math.ceil(files.length / 2);
      await put(files.slice(0, half));
      return put(files.slice(half));
    }
    if (response.status === 413) unread.push(...files.map(({ path }) => ({ path, reason: "holds too much text" })));
  };
  for (const group of batches(send)) {
    const read = await Promise.all(group.map(async (document) => toWire(document, containers)));
    unread.push(...read.filter((one) => "reason" in one));
    await put(read.filter((one) => "text" in one));
    done += group.length;
    report(done);
  }
  // The root is sent also without changes: the user may have typed it differently.
  if (send.length === 0) await put([]);
  // A document that cannot be read any more must not stay in the index in an older version.
  const known = new Set(manifest.files.map(({ path }) => path));
  const gone = [...remove, ...unread.map(({ path }) => path).filter((path) => known.has(path))];
  for (let start = 0; start < gone.length; start += MAX_FILES) {
    await call("POST", "/remove", { paths: gone.slice(start, start + MAX_FILES) });
  }
  const leftOut = [...corpus.leftOut, ...unread];
  if (send.length > 0 || gone.length > 0 || leftOut.length > 0) {
    const parts = [`${send.length - unread.length} sent`, `${gone.length} removed`];
    if (leftOut.length > 0) parts.push(`${leftOut.length} left out`);
    const taken = corpus.documents.length - unread.length;
    const list = leftOut.length > 0 ? `\n${describeLeftOut(leftOut)}` : "";
    io.note(`Documents of ${agent.id} from ${corpus.root}: ${taken} (${parts.join(", ")})${list}`);
  }
  return leftOut;
}

interface WireFile extends Pick<Document, "path" | "hash" | "type"> {
  readonly text: string;
}

async function toWire(document: Document, containers: Containers): Promise<WireFile | LeftOut> {
  const { path, hash, type } = document;
  const read = await readText(document, containers).catch((error: unknown) => ({ reason: fileError(error) }));
  return "reason" in read ? { path, reason: read.reason } : { path, hash, type, text: read.text };
}

function caller(base: string, agent: string, signing: typeof fetch, signal: AbortSignal) {
  return async (method: string, path: string, body?: unknown, accepted: readonly number[] = []): Promise<Response> => {
    signal.throwIfAborted();
    const response = await signing(base + path, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (response.ok || accepted.includes(response.status)) return response;
    throw new CliError(
      "failed",
      `The agent ${agent} refuses the documents: ${method} /corpus${path} answered ${response.status} ${await response.text()}`,
      `The job runs. Its log may tell more: ${troupe`logs`} <job>`,
    );
  };
}
