// Which session was the last with an agent, over all runs: a small file for each agent in the folder of deployment state.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import * as z from "zod";

import { writeFileAtomically } from "../../project/atomic-file.ts";
import { troupeHome } from "../../project/project.ts";
import { parseJson } from "#shared/text/parse-json.ts";

const LastSession = z.object({ agent: z.string(), session: z.string(), at: z.string() });
export type LastSession = Readonly<z.infer<typeof LastSession>>;

/** The folder of what conversations leave on this machine. */
export function chatFolder(): string {
  return join(troupeHome(), "chat");
}

/** `agent` names a job's agent, or a URL. Undefined where there was none, or the file is damaged. */
export function lastSession(agent: string): LastSession | undefined {
  try {
    const kept = LastSession.safeParse(parseJson(readFileSync(fileOf(agent), "utf8"))).data;
    return kept?.agent === agent ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps it; a conversation goes on where it cannot be kept. */
export async function keepLastSession(agent: string, session: string): Promise<void> {
  try {
    mkdirSync(dirname(fileOf(agent)), { recursive: true, mode: 0o700 });
    const kept: LastSession = { agent, session, at: new Date().toISOString() };
    await writeFileAtomically(fileOf(agent), `${JSON.stringify(kept)}\n`, 0o600);
  } catch {
    // The end of the conversation prints the id.
  }
}

function fileOf(agent: string): string {
  const name = createHash("sha256").update(agent).digest("hex").slice(0, 32);
  return join(chatFolder(), "sessions", `${name}.json`);
}
