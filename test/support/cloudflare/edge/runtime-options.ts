// What Miniflare is given for Workers of an account: one of its own for each running version, and the router in front of them.
import type { IncomingMessage, ServerResponse } from "node:http";

import { type MiniflareOptions, NoOpLog } from "miniflare";

import type { Account } from "../account/account.ts";
import { type KeptBinding, running, type Version, type Worker } from "../account/worker.ts";
import { ROUTER, ROUTER_CODE, type Table, tableOf } from "./router-worker.ts";

type Workers = MiniflareOptions["workers"];
type Env = NonNullable<Workers[number]["config"]["env"]>;
type Binding = Env[string];
type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface Handlers {
  /** Answers the request that a Worker made to another address than those of its own runtime. */
  readonly edge: Handler;
  readonly tail: Handler;
}

const OPEN_TO_ALL = "global_fetch_strictly_public";

/** The objects of a Worker live in the version with the greater share, which has the Worker's name. */
const runtimeName = (worker: Worker, version: Version): string =>
  running(worker)[0]?.version === version ? worker.name : `${worker.name}:${version.id}`;

export function runtimeOptions(
  account: Account,
  members: ReadonlySet<string>,
  folder: string,
  handlers: Handlers,
): MiniflareOptions {
  const table = tableOf(account, members);
  const versions = [...account.workers.values()]
    .filter(({ name }) => members.has(name))
    .flatMap((worker) => running(worker).map(({ version }) => ({ worker, version })));
  return {
    host: "127.0.0.1",
    port: 0,
    log: new NoOpLog(),
    cf: false,
    enableDevRegistry: false,
    telemetry: { enabled: false },
    resourcePersistencePath: folder,
    // Logs of Workers go to their tails.
    handleStructuredLogs: () => {},
    workers: [
      router(table, versions, handlers),
      ...versions.map(({ worker, version }) => served(account, table, worker, version)),
    ],
  };
}

function router(
  table: Table,
  versions: readonly { readonly worker: Worker; readonly version: Version }[],
  { edge, tail }: Handlers,
): Workers[number] {
  const services = versions.map(({ worker, version }): [string, Binding] => [
    `VERSION_${version.id}`,
    { type: "worker", worker: runtimeName(worker, version) },
  ]);
  return {
    config: {
      name: ROUTER,
      compatibilityDate: "2026-01-01",
      compatibilityFlags: ["enable_request_signal"],
      manifest: { mainModule: "router.js", modules: { "router.js": { type: "esm", contents: ROUTER_CODE } } },
      env: {
        TABLE: { type: "json", value: JSON.parse(JSON.stringify(table)) },
        EDGE: { type: "node-handler", handler: edge },
        TAIL: { type: "node-handler", handler: tail },
        ...Object.fromEntries(services),
      },
    },
    dev: { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] },
  };
}

function served(account: Account, table: Table, worker: Worker, version: Version): Workers[number] {
  const { code } = version;
  const name = runtimeName(worker, version);
  const modules = code.modules.map(({ name, type, contents }) => {
    const isText = type !== "data" && type !== "wasm";
    return [name, { type, contents: isText ? Buffer.from(contents).toString() : contents }];
  });
  return {
    config: {
      name,
      compatibilityDate: code.compatibilityDate,
      compatibilityFlags: [...code.compatibilityFlags],
      // Stacks name modules below this folder.
      manifest: { modulesRoot: "/", mainModule: code.mainModule, modules: Object.fromEntries(modules) },
      env: Object.fromEntries(version.bindings.map((one) => [one.name, bound(account, table, worker, version, one)])),
      exports:
        name === worker.name
          ? Object.fromEntries(
              worker.namespaces.map(({ id, className }) => [
                className,
                { type: "durable-object", storage: "sqlite", unsafeUniqueKey: id },
              ]),
            )
          : {},
      tailConsumers: [{ worker: ROUTER, entrypoint: "Tail", props: { worker: worker.name } }],
    },
    dev: {
      zone: table.suffix.slice(1),
      unsafeRegisterWorker: false,
      outboundService: {
        type: "worker",
        worker: ROUTER,
        exportName: "Outbound",
        props: { isStrictlyPublic: code.compatibilityFlags.includes(OPEN_TO_ALL) },
      },
    },
  };
}

function bound(account: Account, table: Table, worker: Worker, version: Version, binding: KeptBinding): Binding {
  switch (binding.type) {
    case "plain_text":
    case "secret_text":
      return { type: "text", value: binding.text };
    case "json":
      return { type: "json", value: binding.json };
    case "version_metadata": {
      const tag = version.annotations["workers/tag"] ?? "";
      return { type: "json", value: { id: version.id, tag, timestamp: version.createdAt } };
    }
    case "durable_object_namespace": {
      const host = account.workers.get(binding.script_name ?? worker.name);
      const isThere = host?.namespaces.some(({ className }) => className === binding.class_name) === true;
      if (host === undefined || !isThere || running(host).length === 0) return MISSING;
      return { type: "durable-object", worker: host.name, exportName: binding.class_name };
    }
    case "service": {
      const { service, entrypoint, props = {} } = binding;
      const shares = table.workers[service]?.versions.length ?? 0;
      if (shares === 0) return MISSING;
      // A named entrypoint is that of the greater share.
      if (shares > 1 && entrypoint === undefined) {
        return { type: "worker", worker: ROUTER, exportName: "Dealt", props: { worker: service } };
      }
      return {
        type: "worker",
        worker: service,
        props,
        ...(entrypoint === undefined ? {} : { exportName: entrypoint }),
      };
    }
  }
}

const MISSING: Binding = { type: "worker", worker: ROUTER, exportName: "Missing" };
