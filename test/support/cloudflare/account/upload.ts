// An upload as wrangler sends it: a form with the part `metadata` and a part for each module.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

import * as z from "zod";

import { badRequest, doesNotStart, tooLarge } from "./api-error.ts";
import { Migrations } from "./migrations.ts";
import { type Code, KeptBinding, type Module, type ModuleType } from "./worker.ts";

const Inherited = z.looseObject({ type: z.literal("inherit"), name: z.string(), old_name: z.string().optional() });
export type UploadedBinding = KeptBinding | z.infer<typeof Inherited>;

const Metadata = z.looseObject({
  main_module: z.string(),
  bindings: z.array(z.looseObject({ type: z.string(), name: z.string() })).default([]),
  compatibility_date: z.string().default("2021-11-02"),
  compatibility_flags: z.array(z.string()).default([]),
  keep_bindings: z.array(z.string()).default([]),
  annotations: z.record(z.string(), z.string().optional()).default({}),
  tags: z.array(z.string()).optional(),
  migrations: Migrations.optional(),
  assets: z.never("Assets are not served here.").optional(),
});

export interface Upload {
  readonly code: Omit<Code, "handlers" | "classes">;
  readonly bindings: readonly UploadedBinding[];
  /** Types of bindings of the former version that stay. */
  readonly keepBindings: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly tags: readonly string[] | undefined;
  readonly migrations: Migrations | undefined;
}

const TYPES: Record<string, ModuleType> = {
  "application/javascript+module": "esm",
  "application/javascript": "cjs",
  "text/plain": "text",
  "application/octet-stream": "data",
  "application/wasm": "wasm",
  "application/json": "json",
};

const SOURCE_MAP = "application/source-map";

/** Throws ApiError for what Cloudflare, or this emulator, does not take. */
export async function readUpload(body: Buffer, contentType: string, scriptBytes: number): Promise<Upload> {
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": contentType } }).formData();
  const metadata = await metadataOf(form);
  const modules: Module[] = [];
  for (const [name, part] of form) {
    if (name === "metadata") continue;
    if (typeof part === "string") throw badRequest(`The part ${name} has no type.`);
    const type = part.type.split(";")[0] ?? "";
    if (type === SOURCE_MAP) continue;
    const module = TYPES[type];
    if (module === undefined) throw badRequest(`Modules of type ${type} are not served here.`);
    modules.push({ name: part.name, type: module, contents: new Uint8Array(await part.arrayBuffer()) });
  }
  if (!modules.some(({ name }) => name === metadata.main_module)) {
    throw doesNotStart(`No such module: ${metadata.main_module}`);
  }
  const all = Buffer.concat(modules.map(({ contents }) => contents));
  if (all.length > scriptBytes && gzipSync(all).length > scriptBytes) throw tooLarge(scriptBytes);
  const etag = createHash("sha256");
  for (const { name, contents } of modules) etag.update(`${name} ${contents.length} `).update(contents);
  return {
    code: {
      mainModule: metadata.main_module,
      modules,
      compatibilityDate: metadata.compatibility_date,
      compatibilityFlags: metadata.compatibility_flags,
      etag: etag.digest("hex"),
    },
    bindings: metadata.bindings.map(bindingOf),
    keepBindings: metadata.keep_bindings,
    annotations: present(metadata.annotations),
    tags: metadata.tags,
    migrations: metadata.migrations,
  };
}

async function metadataOf(form: FormData): Promise<z.infer<typeof Metadata>> {
  const part = form.get("metadata");
  const text = typeof part === "string" ? part : await part?.text();
  const parsed = Metadata.safeParse(JSON.parse(text ?? "{}"));
  if (!parsed.success) throw badRequest(`metadata: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function bindingOf(binding: { readonly type: string; readonly name: string }): UploadedBinding {
  const inherited = Inherited.safeParse(binding);
  if (inherited.success) return inherited.data;
  const parsed = KeptBinding.safeParse(binding);
  if (parsed.success) return parsed.data;
  throw badRequest(`The binding ${binding.name} of type ${binding.type} is not served here: ${parsed.error.message}`);
}

/** Without the annotations that have no text. */
export function present(annotations: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])),
  );
}
