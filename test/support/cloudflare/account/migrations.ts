// Migrations of Durable Objects: what an upload may do to a Worker's namespaces, in Cloudflare's words where it may not.
import * as z from "zod";

import { newId } from "./account.ts";
import { ApiError, badRequest } from "./api-error.ts";
import type { Namespace, Worker } from "./worker.ts";

const names = z.array(z.string()).default([]);

const Step = z.strictObject({
  new_classes: names,
  new_sqlite_classes: names,
  deleted_classes: names,
  renamed_classes: z.array(z.strictObject({ from: z.string(), to: z.string() })).default([]),
});

export const Migrations = z.strictObject({
  old_tag: z.string().optional(),
  new_tag: z.string(),
  steps: z.array(Step),
});
export type Migrations = z.infer<typeof Migrations>;

/** The namespaces after the migrations, in a new list. Throws ApiError, and changes nothing. */
export function migrate(worker: Worker, { old_tag: oldTag, steps }: Migrations): Namespace[] {
  if (oldTag !== worker.migrationTag) {
    throw new ApiError(
      412,
      10_079,
      `Actor migration tag precondition failed, got tag '${oldTag ?? ""}' when expected tag is '${worker.migrationTag ?? ""}'.`,
    );
  }
  let namespaces = worker.namespaces.map((namespace) => ({ ...namespace }));
  for (const step of steps) {
    if (step.new_classes.length > 0) throw badRequest("Classes without SQLite (new_classes) are not served here.");
    for (const className of step.new_sqlite_classes) {
      if (namespaces.some((one) => one.className === className)) throw alreadyThere(className);
      namespaces.push({ id: newId(), className });
    }
    for (const { from, to } of step.renamed_classes) {
      if (namespaces.some((one) => one.className === to)) throw alreadyThere(to);
      named(namespaces, from, "renamed").className = to;
    }
    for (const className of step.deleted_classes) {
      const gone = named(namespaces, className, "delete");
      namespaces = namespaces.filter((one) => one !== gone);
    }
  }
  return namespaces;
}

function named(namespaces: readonly Namespace[], className: string, kind: string): Namespace {
  const found = namespaces.find((one) => one.className === className);
  if (found !== undefined) return found;
  throw new ApiError(400, 10_070, `Cannot apply ${kind}-class migration to non-existent class '${className}'.`);
}

function alreadyThere(className: string): ApiError {
  return new ApiError(
    400,
    10_074,
    `Cannot apply new-sqlite-class migration to class '${className}' that is already depended on by existing Durable Objects.`,
  );
}
