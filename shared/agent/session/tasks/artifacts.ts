// The artifacts of a task beside its answer (A2A 1.0, section 4.1.7): what tools and the agent's own code have given it.
import { Artifact } from "@a2a-js/sdk";
import { toRecord } from "../../../text/plain-json.ts";
import type { Step } from "../../../loop/log/step.ts";

export type ArtifactStep = Extract<Step, { kind: "artifact" }>;

/** Bytes of a step. A row of SQLite holds 2 MB. */
const MAX_STEP = 1_800_000;

/** An artifact with all fields. */
export function wholeArtifact(artifact: Pick<Artifact, "artifactId" | "parts"> & Partial<Artifact>): Artifact {
  return { name: "", description: "", metadata: undefined, extensions: [], ...artifact };
}

/** The step that keeps an artifact. Throws RangeError for one that is too large. */
export function artifactStep(artifact: Artifact): ArtifactStep {
  const step = { kind: "artifact", artifact: toRecord(Artifact.toJSON(artifact)) } as const;
  const bytes = new TextEncoder().encode(JSON.stringify(step)).byteLength;
  if (bytes > MAX_STEP)
    throw new RangeError(
      `The artifact ${artifact.artifactId.slice(0, 100)} takes ${bytes} bytes; the limit is ${MAX_STEP}.`,
    );
  return step;
}

/** The latest of each id, in the order in which they first came. */
export function artifactsIn(steps: readonly ArtifactStep[]): Artifact[] {
  const artifacts = new Map<string, Artifact>();
  for (const step of steps) {
    const artifact = Artifact.fromJSON(step.artifact);
    artifacts.set(artifact.artifactId, artifact);
  }
  return [...artifacts.values()];
}
