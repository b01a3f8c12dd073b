// Calls of the emulated API without wrangler, and Workers to upload.
import * as z from "zod";

import type { CloudflareEmulator } from "../../support/cloudflare/emulator.ts";

const Envelope = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })),
  result: z.unknown(),
});

export const PLAIN = "export default { fetch() { return new Response('plain') } }";
/** A class of objects, for Workers that count. */
export const COUNTER = `import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  next() {
    const count = (this.ctx.storage.kv.get("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return count;
  }
  last() {
    return this.ctx.storage.kv.get("count") ?? 0;
  }
}`;

export interface Answer {
  readonly status: number;
  readonly code: number | undefined;
  readonly message: string | undefined;
  readonly result: unknown;
  readonly headers: Headers;
}

export interface CallOptions {
  readonly json?: unknown;
  readonly form?: FormData;
  readonly token?: string;
}

/** `path`: below the account. */
export async function call(
  { apiUrl, accountId, token }: CloudflareEmulator,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Answer> {
  const response = await fetch(`${apiUrl}/accounts/${accountId}/${path}`, {
    method,
    headers: { authorization: `Bearer ${options.token ?? token}` },
    body: options.form ?? (options.json === undefined ? null : JSON.stringify(options.json)),
  });
  const { errors, result } = Envelope.parse(await response.json());
  const { status, headers } = response;
  return { status, code: errors[0]?.code, message: errors[0]?.message, result, headers };
}

export function upload(code: string, metadata: Record<string, unknown> = {}): FormData {
  const form = new FormData();
  const all = { main_module: "index.js", compatibility_date: "2026-10-01", ...metadata };
  form.set("metadata", JSON.stringify(all));
  form.set("index.js", new File([code], "index.js", { type: "application/javascript+module" }));
  return form;
}

/** Uploads a Worker and gives it its name of workers.dev. Throws where that is refused. */
export async function publish(
  cloudflare: CloudflareEmulator,
  name: string,
  code: string,
  metadata: Record<string, unknown> = {},
): Promise<void> {
  const put = await call(cloudflare, "PUT", `workers/scripts/${name}`, { form: upload(code, metadata) });
  if (put.status !== 200) throw new Error(put.message);
  await call(cloudflare, "POST", `workers/scripts/${name}/subdomain`, { json: { enabled: true } });
}
