// The flag --file of commands that ask.
import type { Part } from "@a2a-js/sdk";

export const FILE_OPTION = {
  type: "string",
  value: "PATH",
  multiple: true,
  description: "Send this file along with the question; may be repeated",
} as const;

export async function filesOf(paths: readonly string[] = []): Promise<readonly Part[]> {
  if (paths.length === 0) return [];
  const { filesToSend } = await import("./files-to-send.ts");
  return filesToSend(paths);
}
