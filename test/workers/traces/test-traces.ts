// The Traces object under test. Settings travel in the job's name, so that each test has its own and the job's objects share them.
import { Traces } from "../../../workers/control-plane/traces/traces.ts";
import type { SettingVariables } from "../../../workers/control-plane/traces/forward/settings.ts";

type Parameters = ConstructorParameters<typeof Traces>;

export class TestTraces extends Traces {
  constructor(state: Parameters[0], env: Parameters[1]) {
    super(state, { ...env, ...settingsIn(state.id.name ?? "") });
  }
}

/** The name of a job with these settings; `name` tells it from others with the same. */
export function jobWith(name: string, settings: SettingVariables): string {
  return `${name}?${new URLSearchParams({ ...settings }).toString()}`;
}

function settingsIn(name: string): SettingVariables {
  const job = name.slice(0, name.lastIndexOf("/"));
  const [, query = ""] = job.split("?");
  return Object.fromEntries(new URLSearchParams(query));
}
