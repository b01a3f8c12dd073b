// Where each agent of a job and its control plane run.
import type { Path } from "../file/source.ts";
import type { Hosts } from "./hosts.ts";
import type { Place } from "./place.ts";

/** What the command line says about places. */
export interface PlacementChoice {
  /** `--target`: takes the place of every target of the job. */
  readonly target?: string | undefined;
  /** `--hosts`: the host file. */
  readonly hosts?: Hosts | undefined;
}

export interface PlacementMistake {
  /** In the job. */
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
}

export interface Placement {
  /** Those that are used. */
  readonly places: readonly Place[];
  /** Own agent's id → place's id. */
  readonly agents: Readonly<Record<string, string>>;
  /** `port` where the job names one. */
  readonly controlPlane: { readonly place: string; readonly port?: number };
  /** What the user may want to know, in sentences. */
  readonly notes: readonly string[];
  readonly mistakes: readonly PlacementMistake[];
}
