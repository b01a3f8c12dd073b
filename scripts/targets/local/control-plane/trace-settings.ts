// Settings for keeping and forwarding traces, from the environment variables of the user who deploys. They are stored
// beside the control plane's secret, so that a command from another shell does not turn forwarding off.
import * as z from "zod";

import { TRACE_SETTINGS } from "#shared/tracing/settings.ts";

import type { Io } from "../../../terminal/io.ts";
import { PRIVATE } from "../state/secrets.ts";
import { readOrSetAside, writeState } from "../state/state.ts";

const Settings = z.record(z.string(), z.string());

/**
 * Variables that are set now replace all stored settings; without any, the stored ones stay. An empty variable counts
 * as set.
 */
export async function traceSettings(path: string, io: Io): Promise<Record<string, string>> {
  const variables = TRACE_SETTINGS.map((name) => [name, process.env[name]] as const);
  if (variables.every(([, value]) => value === undefined)) return (await readOrSetAside(path, Settings, io)) ?? {};
  const settings: Record<string, string> = {};
  for (const [name, value] of variables) if (value) settings[name] = value;
  await writeState(path, settings, PRIVATE);
  return settings;
}
