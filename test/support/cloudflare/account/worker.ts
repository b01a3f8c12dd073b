// What the account keeps of one Worker: its versions, which of them are deployed, and its namespaces of objects.
import * as z from "zod";

const name = z.string().min(1);

/** A binding as uploads carry it and as versions keep it. Other types than these are refused: nothing here would serve them. */
export const KeptBinding = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("plain_text"), name, text: z.string() }),
  z.looseObject({ type: z.literal("json"), name, json: z.json() }),
  z.looseObject({ type: z.literal("secret_text"), name, text: z.string() }),
  z.looseObject({
    type: z.literal("durable_object_namespace"),
    name,
    class_name: z.string(),
    script_name: z.string().optional(),
  }),
  z.looseObject({
    type: z.literal("service"),
    name,
    service: z.string(),
    entrypoint: z.string().optional(),
    props: z.record(z.string(), z.json()).optional(),
  }),
  z.looseObject({ type: z.literal("version_metadata"), name }),
]);
export type KeptBinding = z.infer<typeof KeptBinding>;

export type ModuleType = "esm" | "cjs" | "text" | "data" | "wasm" | "json";

export interface Module {
  readonly name: string;
  readonly type: ModuleType;
  readonly contents: Uint8Array<ArrayBuffer>;
}

/** Code as it was uploaded. Versions share it: a new secret makes a new version of the same code. */
export interface Code {
  readonly mainModule: string;
  readonly modules: readonly Module[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly etag: string;
  /** Names of the default export's methods, such as fetch. */
  readonly handlers: readonly string[];
  /** Names of exported classes. */
  readonly classes: readonly string[];
}

export interface Version {
  readonly id: string;
  readonly number: number;
  readonly createdAt: string;
  /** Such as `workers/message`, `workers/tag` and `workers/triggered_by`. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly bindings: readonly KeptBinding[];
  readonly code: Code;
  readonly migrationTag: string | undefined;
}

export interface Deployment {
  readonly id: string;
  readonly createdAt: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** One or two; the percentages sum up to 100. */
  readonly versions: readonly { readonly version_id: string; readonly percentage: number }[];
}

/** A class whose objects the Worker has. Its id names their storage, so a renamed class keeps it. */
export interface Namespace {
  readonly id: string;
  className: string;
}

export interface Worker {
  readonly name: string;
  /** Stays for as long as the Worker is there. */
  readonly tag: string;
  readonly createdAt: string;
  modifiedAt: string;
  tags: readonly string[];
  migrationTag: string | undefined;
  namespaces: Namespace[];
  /** Oldest first. */
  readonly versions: Version[];
  /** Newest first: the first one is what runs. */
  readonly deployments: Deployment[];
  readonly subdomain: { enabled: boolean; previews_enabled: boolean };
  settings: Readonly<Record<string, unknown>>;
}

export function versionOf(worker: Worker, id: string): Version | undefined {
  return worker.versions.find((version) => version.id === id);
}

/** What runs now, the greater share first. Empty while nothing is deployed. */
export function running(worker: Worker): { readonly version: Version; readonly percentage: number }[] {
  return (worker.deployments[0]?.versions ?? [])
    .flatMap(({ version_id: id, percentage }) => {
      const version = versionOf(worker, id);
      return version === undefined || percentage === 0 ? [] : [{ version, percentage }];
    })
    .sort((one, other) => other.percentage - one.percentage);
}
