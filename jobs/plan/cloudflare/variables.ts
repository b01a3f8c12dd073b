// The text and JSON variables of an agent's Worker, as Cloudflare takes them: none is too large.
import { configPart } from "#shared/agent/config.ts";

import type { Binding } from "../plan-shape.ts";
import { LIMITS } from "./limits.ts";

/** Name → value. The agent's config is in parts where it is too large for one variable; configIn joins them. */
export function variablesOf(bindings: readonly Binding[]): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const binding of bindings) {
    if (binding.type !== "json" && binding.type !== "text") continue;
    if (binding.name === "AGENT" && bytesOf(binding.value) > LIMITS.variableBytes.paid)
      Object.assign(all, inParts(binding.value));
    else all[binding.name] = binding.value;
  }
  return all;
}

/** Size of a variable's value. */
export function bytesOf(value: unknown): number {
  return Buffer.byteLength(typeof value === "string" ? value : JSON.stringify(value));
}

function inParts(value: unknown): Record<string, string> {
  // In ASCII each character is a byte, so no cut divides one.
  const text = JSON.stringify(value).replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const size = LIMITS.variableBytes.paid;
  const count = Math.ceil(text.length / size);
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [configPart(at + 1), text.slice(at * size, (at + 1) * size)]),
  );
}
