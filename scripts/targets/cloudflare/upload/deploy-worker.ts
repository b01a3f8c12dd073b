// Puts one Worker up, through wrangler.
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CliError } from "../../../terminal/cli-error.ts";
import { PRIVATE } from "../../local/state/secrets.ts";
import type { Account } from "../account/account.ts";
import type { Upload } from "./upload.ts";
import { wrangler } from "./wrangler.ts";

export interface Deployment {
  readonly account: Account;
  /** Stands in the account beside the version. */
  readonly message: string;
  readonly signal: AbortSignal;
}

/** Resolves to the id of the version that runs then. Throws CliError; the Worker may have changed even then. */
export async function deployWorker(upload: Upload, { account, message, signal }: Deployment): Promise<string> {
  return inFolder(upload, async (folder) => {
    const names = Object.keys(upload.secrets);
    const secrets = names.length === 0 ? [] : ["--secrets-file", "secrets.json"];
    const events = await wrangler(["deploy", "--config", "wrangler.json", "--message", message, ...secrets], {
      account,
      folder,
      signal,
    });
    const version = events.find(({ type }) => type === "deploy")?.version_id;
    if (typeof version === "string") return version;
    throw new CliError("failed", `wrangler does not say which version of ${upload.script} it deployed.`);
  });
}

/** A Worker that answers nothing, for others to bind to until it is there. */
export async function deployStub(script: string, owner: string, { account, signal }: Deployment): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-stub-"));
  try {
    const config = {
      name: script,
      main: "index.js",
      no_bundle: true,
      compatibility_date: STUB_DATE,
      workers_dev: false,
      preview_urls: false,
      vars: { TROUPE_OWNER: owner },
    };
    await writeFile(join(folder, "index.js"), STUB);
    await writeFile(join(folder, "wrangler.json"), JSON.stringify(config));
    await wrangler(["deploy", "--config", "wrangler.json", "--message", "place holder"], { account, folder, signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const STUB_DATE = "2026-10-15";
const STUB = 'export default { fetch: () => new Response("This agent is being deployed.\\n", { status: 503 }) };\n';

async function inFolder<Result>(
  { bundle, config, secrets }: Upload,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-worker-"));
  try {
    await copyFile(bundle.path, join(folder, "index.js"));
    await writeFile(join(folder, "wrangler.json"), JSON.stringify(config));
    await writeFile(join(folder, "secrets.json"), JSON.stringify(secrets), { mode: PRIVATE });
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
