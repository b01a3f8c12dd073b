// Puts one Worker up, through wrangler.
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CliError } from "../../../terminal/cli-error.ts";
import { COMPATIBILITY_DATE } from "../../local/processes/capnp.ts";
import { PRIVATE } from "../../local/state/secrets.ts";
import type { Account } from "../account/account.ts";
import { OWNER } from "../account/workers.ts";
import { inConfigFolder } from "./config-folder.ts";
import type { Upload } from "./upload.ts";
import { wrangler } from "./wrangler.ts";

export interface Deployment {
  readonly account: Account;
  /** Stands in the account beside the version. */
  readonly message: string;
  readonly signal: AbortSignal;
}

/** Resolves to the id of the version that runs then. Throws CliError; the Worker may have changed even then. */
export async function deployWorker(
  { script, bundle, config, secrets }: Upload,
  { account, message, signal }: Deployment,
): Promise<string> {
  return inConfigFolder(config, async (folder) => {
    await copyFile(bundle.path, join(folder, "index.js"));
    await writeFile(join(folder, "secrets.json"), JSON.stringify(secrets), { mode: PRIVATE });
    const more = Object.keys(secrets).length === 0 ? [] : ["--secrets-file", "secrets.json"];
    const events = await wrangler(["deploy", "--config", "wrangler.json", "--message", message, ...more], {
      account,
      folder,
      signal,
    });
    const version = events.find(({ type }) => type === "deploy")?.version_id;
    if (typeof version === "string") return version;
    throw new CliError("failed", `wrangler does not say which version of ${script} it deployed.`);
  });
}

const STUB = 'export default { fetch: () => new Response("This agent is being deployed.\\n", { status: 503 }) };\n';

/** A Worker that answers nothing, for others to bind to until it is there. */
export async function deployStub(
  { script, owner }: Pick<Upload, "script" | "owner">,
  { account, signal }: Deployment,
): Promise<void> {
  const config = {
    name: script,
    main: "index.js",
    no_bundle: true,
    compatibility_date: COMPATIBILITY_DATE,
    workers_dev: false,
    preview_urls: false,
    vars: { [OWNER]: owner },
  };
  await inConfigFolder(config, async (folder) => {
    await writeFile(join(folder, "index.js"), STUB);
    await wrangler(["deploy", "--config", "wrangler.json", "--message", "place holder"], { account, folder, signal });
  });
}
