// The certificates with which a job's agents answer people: files that the job file names.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, resolve } from "node:path";

import type { Plan, PlannedAgent } from "#jobs/plan/plan-shape.ts";
import { reasonOf } from "#shared/text/reason.ts";

import { CliError } from "../terminal/cli-error.ts";
import type { Io } from "../terminal/io.ts";
import { manyLines } from "../terminal/terminal-text.ts";

/** PEM, as the files hold it; the key as PKCS #8. */
export interface HttpsFiles {
  readonly certificate: string;
  readonly key: string;
}

const SOON_MS = 30 * 24 * 3_600_000;

/** Agent → its certificate and key. Notes a certificate that ends soon. Throws CliError with all that is wrong. `file`: the job file. */
export async function readHttpsFiles(
  { agents }: Plan,
  file: string,
  io: Pick<Io, "note">,
): Promise<ReadonlyMap<string, HttpsFiles>> {
  const found = new Map<string, HttpsFiles>();
  const wrong: string[] = [];
  for (const { id, https } of agents) {
    if (https === undefined) continue;
    try {
      found.set(id, await readPair(https, dirname(file), (text) => io.note(manyLines(`${id}: ${text}`))));
    } catch (error) {
      wrong.push(`https of the agent ${id}: ${reasonOf(error)}.`);
    }
  }
  if (wrong.length === 0) return found;
  throw new CliError(
    "bad_input",
    wrong.join("\n"),
    "Mend the files, or the paths in the job file. Nothing was changed.",
  );
}

async function readPair(
  { url, certificate: certificatePath, key: keyPath }: NonNullable<PlannedAgent["https"]>,
  folder: string,
  note: (text: string) => void,
): Promise<HttpsFiles> {
  const certificate = await readText(resolve(folder, certificatePath));
  const key = privateKeyIn(await readText(resolve(folder, keyPath)), keyPath);
  const first = certificateIn(certificate, certificatePath);
  const { hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (!first.checkPrivateKey(key)) throw new Error(`the key in ${keyPath} is not that of ${certificatePath}`);
  if ((isIP(host) === 0 ? first.checkHost(host) : first.checkIP(host)) === undefined)
    throw new Error(`${certificatePath} is not for ${host}`);
  const leftMs = Date.parse(first.validTo) - Date.now();
  if (leftMs < 0) throw new Error(`${certificatePath} has ended: ${first.validTo}`);
  if (leftMs < SOON_MS) note(`${certificatePath} ends at ${first.validTo}.`);
  return { certificate, key: key.export({ type: "pkcs8", format: "pem" }).toString() };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new Error(`${path} cannot be read`);
  }
}

function certificateIn(text: string, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new Error(`${path} holds no certificate (PEM)`);
  }
}

function privateKeyIn(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw new Error(`${path} holds no private key without a passphrase (PEM)`);
  }
}
