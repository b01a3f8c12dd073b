// What this shell and the built Workers add to a job file to make a plan of it.
import type { PlanEnvironment } from "#jobs/plan-shape.ts";

import type { Bundle } from "./build.ts";

export function planEnvironment(
  bundles: ReadonlyMap<string, Bundle>,
  ports: Readonly<Record<string, number>>,
): PlanEnvironment {
  const anthropicUrl = process.env["ANTHROPIC_BASE_URL"] ?? "";
  return {
    hasAnthropicKey: (process.env["ANTHROPIC_API_KEY"] ?? "") !== "",
    ...(anthropicUrl === "" ? {} : { anthropicUrl }),
    ports,
    objects: Object.fromEntries([...bundles].map(([worker, { objects }]) => [worker, objects])),
  };
}
