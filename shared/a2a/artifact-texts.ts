// The text of a task's artifacts while its events come (A2A 1.0, sections 4.1.7 and 4.2.2).
import type { Artifact, TaskArtifactUpdateEvent } from "@a2a-js/sdk";
import { textOfParts } from "./message.ts";

export class ArtifactTexts {
  readonly #texts = new Map<string, string>();
  readonly #indent: number | undefined;

  /** `indent`: of data parts, which become JSON. */
  constructor(indent?: number) {
    this.#indent = indent;
  }

  /** What a snapshot of the task holds. */
  set(artifacts: readonly Artifact[]): void {
    this.#texts.clear();
    for (const artifact of artifacts) this.#texts.set(artifact.artifactId, this.#textOf(artifact));
  }

  /** An event that adds to an artifact, or replaces it. Returns what it adds at the end of the text; undefined where it changes more. */
  take({ artifact, append }: TaskArtifactUpdateEvent): string | undefined {
    if (!artifact) return "";
    const { artifactId } = artifact;
    const piece = this.#textOf(artifact);
    const before = append ? this.#texts.get(artifactId) : undefined;
    const isLast = [...this.#texts.keys()].at(-1) === artifactId;
    this.#texts.set(artifactId, (before ?? "") + piece);
    return before && isLast ? piece : undefined;
  }

  /** Characters of all artifacts. */
  get length(): number {
    return [...this.#texts.values()].reduce((sum, text) => sum + text.length, 0);
  }

  /** Of all artifacts, in the order in which they came. */
  get text(): string {
    return [...this.#texts.values()].filter((text) => text !== "").join("\n\n");
  }

  /** Text parts unchanged, data parts as JSON, files by name. */
  #textOf({ parts }: Artifact): string {
    return parts
      .map((part) => {
        const { content, filename, mediaType } = part;
        if (content?.$case === "data") return JSON.stringify(content.value, null, this.#indent);
        if (content?.$case === "raw" || content?.$case === "url")
          return `[file ${filename || mediaType || "without a name"}]`;
        return textOfParts([part]);
      })
      .join("");
  }
}
