// A tool's input as the object that it has to be; of what is none, an empty one.

export function toRecord(input: unknown): Record<string, unknown> {
  return typeof input === "object" && input !== null ? { ...input } : {};
}
