// How traces are kept and forwarded, as the variables of whoever deploys say. They are kept beside the control plane's secret, so
// that a command from a shell that says nothing of it does not turn forwarding off.
import * as z from "zod";

import { TRACE_SETTINGS } from "#shared/tracing/settings.ts";

import type { Io } from "../../../terminal/io.ts";
import { PRIVATE } from "../state/secrets.ts";
import { readOrSetAside, writeState } from "../state/state.ts";

const Settings = z.record(z.string(), z.string());

/** What is set now replaces, as a whole, what was set last; where nothing is set, that stays. An empty variable is set, to nothing. */
export async function traceSettings(path: string, io: Io): Promise<Record<string, string>> {
  const variables = TRACE_SETTINGS.map((name) => [name, process.env[name]] as const);
  if (variables.every(([, value]) => value === undefined)) return (await readOrSetAside(path, Settings, io)) ?? {};
  const settings: Record<string, string> = {};
  for (const [name, value] of variables) if (value) settings[name] = value;
  await writeState(path, settings, PRIVATE);
  return settings;
}
