// The Workers that all jobs of a namespace share: control plane and offline model. No job owns them.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";

import { controlPlaneScript, scriptUrl } from "#jobs/plan/cloudflare.ts";
import { MIN_SECRET } from "#shared/a2a/token.ts";
import { type Bundle, bundleOf } from "../../project/build.ts";
import { knowOnCloudflare } from "../../project/own-fetch.ts";
import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import type { ControlPlane } from "../local/control-plane/control-plane.ts";
import { withLock } from "../local/state/lock.ts";
import { PRIVATE } from "../local/state/secrets.ts";
import { DamagedError, readState, Uploaded, writeState } from "../local/state/state.ts";
import { deployWorker } from "./upload/deploy-worker.ts";
import { controlPlaneUpload, offlineModelUpload, ownerOf, type Upload } from "./upload/upload.ts";
import type { Account } from "./account/account.ts";
import { deployedWorker } from "./account/workers.ts";

const PATIENCE_MS = 300_000;

const NamespaceState = z.object({
  secret: z.string().min(MIN_SECRET),
  workers: z.array(Uploaded),
});

type Which = Pick<Account, "id" | "namespace" | "subdomain">;

function pathOf(home: string, { id, namespace }: Which): string {
  return join(home, "cloudflare", id, `${namespace}.json`);
}

/** Throws CliError for a damaged file, which holds the only copy of a secret. */
async function stateAt(path: string): Promise<z.infer<typeof NamespaceState> | undefined> {
  return readState(path, NamespaceState).catch((error: unknown) => {
    if (!(error instanceof DamagedError)) throw error;
    throw new CliError("failed", error.message, "It holds the secret of the control plane: bring back a copy of it.");
  });
}

/** The control plane that this machine deployed. Throws CliError where it deployed none. */
export async function knownControlPlane(home: string, account: Which): Promise<ControlPlane> {
  const state = await stateAt(pathOf(home, account));
  if (state !== undefined) return controlPlaneOf(account, state.secret);
  throw new CliError("failed", `The secret of the control plane on Cloudflare is missing.`, "Deploy the job again.");
}

/** Brings control plane and offline model forward where they differ. Throws CliError for one that another machine made. */
export async function ensureNamespace(
  home: string,
  account: Account,
  {
    bundles,
    settings,
    io,
  }: {
    readonly bundles: ReadonlyMap<string, Bundle>;
    readonly settings: Readonly<Record<string, string>>;
    readonly io: Io;
  },
): Promise<ControlPlane> {
  const path = pathOf(home, account);
  const lock = { patienceMs: PATIENCE_MS, signal: io.signal };
  return withLock(`${path}.lock`, lock, async () => {
    const state = await stateAt(path);
    const secret = state?.secret ?? randomBytes(32).toString("base64url");
    // The secret must not be lost between its upload and its note.
    if (state === undefined) await writeState(path, { secret, workers: [] }, PRIVATE);
    const known = state?.workers ?? [];
    const wanted = [
      controlPlaneUpload(account, bundleOf(bundles, "control-plane"), {
        secrets: { ...settings, TROUPE_SECRET: secret },
        before: known.find(({ script }) => script === controlPlaneScript(account))?.steps ?? [],
      }),
      offlineModelUpload(account, bundleOf(bundles, "offline-model")),
    ];
    const workers = await Promise.all(wanted.map(async (upload) => forward(upload, known, account, io.signal)));
    await writeState(path, { secret, workers }, PRIVATE);
    return controlPlaneOf(account, secret);
  });
}

async function forward(
  upload: Upload,
  known: readonly Uploaded[],
  account: Account,
  signal: AbortSignal,
): Promise<Uploaded> {
  const { script, print, steps } = upload;
  const last = known.find((worker) => worker.script === script);
  const there = await deployedWorker(account, script, signal);
  if (there !== undefined && there.owner !== ownerOf(account)) {
    throw new CliError(
      "failed",
      `The account has a Worker named ${script}, which Troupe did not make.`,
      "Give that Worker another name, or use another account.",
    );
  }
  if (there !== undefined && last === undefined) {
    throw new CliError(
      "failed",
      `The account has a control plane of Troupe already (${script}), which another machine made.`,
      "Deploy from that machine, which has its secret.",
    );
  }
  if (last !== undefined && there?.version === last.version && last.print === print) return last;
  const version = await deployWorker(upload, { account, message: "Troupe", signal });
  return { script, print, steps: [...steps], version };
}

function controlPlaneOf(account: Which, secret: string): ControlPlane {
  const url = scriptUrl(account, controlPlaneScript(account));
  knowOnCloudflare([url]);
  return { url, port: 443, modelPort: 0, secret };
}
