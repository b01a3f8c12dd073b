// Cloudflare on this machine, as far as Workers go: the API that wrangler calls, and the edge that serves what was uploaded, in
// workerd. Both are reached by sockets, with the variables of `environment` and nothing else.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json as readJson } from "node:stream/consumers";

import * as z from "zod";

import { Account, type Limits } from "./account/account.ts";
import { secretsOf } from "./account/publish.ts";
import type { Deployment, KeptBinding, Version } from "./account/worker.ts";
import { AT_EDGE, type Fault, Faults } from "./api/faults.ts";
import { ApiServer, type Call, isRoute } from "./api/server.ts";
import { bindingShape } from "./api/shapes.ts";
import { Tails } from "./api/tails.ts";
import { type Right, Tokens } from "./api/tokens.ts";
import { Access, type ServiceToken } from "./edge/access.ts";
import { Certificates } from "./edge/certificates.ts";
import { Edge } from "./edge/edge.ts";
import { type Internet, NO_INTERNET } from "./edge/internet.ts";
import { ASKED_URL } from "./edge/router-worker.ts";
import { Serving } from "./edge/serving.ts";

export interface CloudflareOptions {
  /** Answers what goes to no Worker of the account, from Workers and from clients; without it, 502. */
  readonly internet?: Internet;
  readonly limits?: Partial<Limits>;
}

/** A Worker of the account, for tests to look at. */
export interface WorkerState {
  readonly name: string;
  readonly tags: readonly string[];
  readonly migrationTag: string | undefined;
  /** Oldest first. */
  readonly versions: readonly Pick<Version, "id" | "number" | "annotations" | "createdAt">[];
  /** Newest first. */
  readonly deployments: readonly Deployment[];
  /** Names of the latest version's secrets. */
  readonly secrets: readonly string[];
  /** Of the latest version, secrets without their texts. */
  readonly bindings: readonly Record<string, unknown>[];
  /** Whether it has its address below workers.dev. */
  readonly isPublic: boolean;
  /** Custom domains and patterns of routes. */
  readonly addresses: readonly string[];
}

export interface CloudflareEmulator extends AsyncDisposable {
  /** `http://127.0.0.1:port/client/v4` */
  readonly apiUrl: string;
  readonly token: string;
  readonly accountId: string;
  /** A Worker is at `https://<name>.<subdomain>.workers.dev`. */
  readonly subdomain: string;
  /** The account's zone, for custom domains: `acme.test`. */
  readonly zone: string;
  /** What a child process needs to take this for Cloudflare. */
  readonly environment: NodeJS.ProcessEnv;
  /** Every call of the API, oldest first. */
  readonly calls: readonly Call[];
  /** Calls that no route handles: a test fails on them. */
  readonly unknownCalls: readonly string[];
  workers(): readonly WorkerState[];
  /** The text of a secret of the latest version; undefined where there is none. */
  secret(worker: string, name: string): string | undefined;
  /** Lets calls fail. Throws for a call that no route has. */
  fail(fault: Fault): void;
  clearFaults(): void;
  /** Gives a host of the zone a DNS record that is no Worker's. */
  addRecord(hostname: string): void;
  /** Puts Access in front of a host: it lets this service token pass alone. */
  protect(hostname: string, token: ServiceToken): void;
  /** A token more. `accounts`: ids; only the emulator's own has Workers. */
  addToken(token: string, may: { readonly rights: readonly Right[]; readonly accounts: readonly string[] }): void;
}

const TOKEN = "emulated-token-0123456789abcdef01234567";
const Tailed = z.object({ worker: z.string(), events: z.array(z.looseObject({})) });

export async function startCloudflare(options: CloudflareOptions = {}): Promise<CloudflareEmulator> {
  const { internet = NO_INTERNET, limits } = options;
  const account = new Account(limits);
  const tokens = new Tokens();
  tokens.add(TOKEN, ["read", "edit", "user"], [account.id]);
  const tails = new Tails();
  const faults = new Faults();
  const api = new ApiServer(account, tokens, tails, faults);
  const certificates = await Certificates.create();
  const serving = await Serving.start(account, {
    edge: async (request, response) => {
      const url = new URL(String(request.headers[ASKED_URL]));
      // Miniflare's own headers, and the router's, are not the Worker's.
      for (const name of Object.keys(request.headers)) {
        if (name === ASKED_URL || name.startsWith("mf-")) delete request.headers[name];
      }
      await edge.answer(url, request, response);
    },
    tail: async (request, response) => {
      await tailed(tails, request);
      response.end();
    },
  });
  const access = new Access();
  const edge = new Edge(account, serving, certificates, faults, { internet, access });
  await Promise.all([api.start(), edge.start()]);
  const folder = await mkdtemp(join(tmpdir(), "troupe-edge-"));
  const authority = join(folder, "authority.pem");
  await writeFile(authority, certificates.authority);

  return {
    apiUrl: api.url,
    token: TOKEN,
    accountId: account.id,
    subdomain: account.subdomain,
    zone: account.zone.name,
    environment: {
      CLOUDFLARE_API_BASE_URL: api.url,
      CLOUDFLARE_API_TOKEN: TOKEN,
      CLOUDFLARE_ACCOUNT_ID: account.id,
      NODE_USE_ENV_PROXY: "1",
      HTTPS_PROXY: edge.url,
      NO_PROXY: "127.0.0.1,localhost,[::1]",
      NODE_EXTRA_CA_CERTS: authority,
    },
    calls: api.calls,
    unknownCalls: api.unknownCalls,
    workers: () => [...account.workers.values()].map((worker) => stateOf(account, worker)),
    secret: (worker, name) => {
      const bindings = account.workers.get(worker)?.versions.at(-1)?.bindings ?? [];
      return bindings.flatMap((one) => (one.type === "secret_text" && one.name === name ? [one.text] : []))[0];
    },
    fail: (fault) => {
      if (fault.call !== AT_EDGE && !isRoute(fault.call)) throw new Error(`No route is called ${fault.call}.`);
      faults.add(fault);
    },
    clearFaults: () => faults.clear(),
    addRecord: (hostname) => account.records.add(hostname),
    protect: (hostname, token) => access.protect(hostname, token),
    addToken: (token, { rights, accounts }) => tokens.add(token, rights, accounts),
    async [Symbol.asyncDispose]() {
      tails.dispose();
      await Promise.all([api.close(), edge.close()]);
      await serving.dispose();
      await rm(folder, { recursive: true, force: true });
      if (api.failures.length > 0) throw new AggregateError(api.failures, "The emulated API failed.");
    },
  };
}

async function tailed(tails: Tails, request: IncomingMessage): Promise<void> {
  const { worker, events } = Tailed.parse(await readJson(request));
  for (const event of events) tails.send(worker, event);
}

function stateOf(account: Account, worker: ReturnType<Account["worker"]>): WorkerState {
  const addresses = [
    ...account.domains.flatMap(({ service, hostname }) => (service === worker.name ? [hostname] : [])),
    ...account.routes.flatMap(({ script, pattern }) => (script === worker.name ? [pattern] : [])),
  ];
  const latest: readonly KeptBinding[] = worker.versions.at(-1)?.bindings ?? [];
  return {
    name: worker.name,
    tags: worker.tags,
    migrationTag: worker.migrationTag,
    versions: worker.versions.map(({ id, number, annotations, createdAt }) => ({ id, number, annotations, createdAt })),
    deployments: [...worker.deployments],
    secrets: secretsOf(worker),
    bindings: latest.map(bindingShape),
    isPublic: worker.subdomain.enabled,
    addresses,
  };
}
