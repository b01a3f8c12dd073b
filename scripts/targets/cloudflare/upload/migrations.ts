// Which classes of Durable Objects a Worker has had, step by step: Cloudflare keeps the data of each until a step deletes it.
// https://developers.cloudflare.com/durable-objects/reference/durable-objects-migrations
import { CliError } from "../../../terminal/cli-error.ts";
import type { ObjectStep } from "../../local/state/state.ts";

/**
 * The steps that lead to these classes. Throws CliError where that would delete the data of a class, unless `mayLose`.
 */
export function stepsTo(
  classes: readonly string[],
  {
    script,
    before,
    mayLose,
  }: { readonly script: string; readonly before: readonly ObjectStep[]; readonly mayLose: boolean },
): ObjectStep[] {
  const present = new Set<string>();
  for (const { added, deleted } of before) {
    for (const name of added) present.add(name);
    for (const name of deleted) present.delete(name);
  }
  const added = classes.filter((name) => !present.has(name));
  const deleted = [...present].filter((name) => !classes.includes(name));
  if (deleted.length > 0 && !mayLose) {
    throw new CliError(
      "bad_input",
      `${script} no longer has the class ${deleted.join(", ")}, whose data Cloudflare would delete.`,
      "Give the class back, or deploy with --allow-data-loss.",
    );
  }
  return added.length + deleted.length === 0 ? [...before] : [...before, { added, deleted }];
}

/** As wrangler's configuration has them. */
export function migrationsOf(steps: readonly ObjectStep[]): Record<string, unknown>[] {
  return steps.map(({ added, deleted }, index) => ({
    tag: `v${index + 1}`,
    ...(added.length === 0 ? {} : { new_sqlite_classes: added }),
    ...(deleted.length === 0 ? {} : { deleted_classes: deleted }),
  }));
}
