// The sessions that the process before this one left at work, by their files. SQLite keeps a write-ahead log beside the database of each
// object that is in memory, and removes it when the object leaves. After a kill the logs that remain name the objects that were there.
import * as z from "zod";

/** Files that are looked at side by side. */
const AT_ONCE = 16;

const Listing = z.array(z.object({ name: z.string() }));
const WRITE_AHEAD_LOG = /^([0-9a-f]{64})\.sqlite-wal$/;

/** Ids of the objects with a write-ahead log, those written last first. `files`: the folder of the objects' files. */
export async function sessionsInMemory(files: Pick<Fetcher, "fetch">): Promise<string[]> {
  const listing = await files.fetch("http://files/");
  if (!listing.ok) throw new Error(`The folder of the sessions answered ${listing.status}.`);
  const waiting = Listing.parse(await listing.json()).flatMap(({ name }) => WRITE_AHEAD_LOG.exec(name)?.[1] ?? []);
  const found: { readonly id: string; readonly writtenAt: number }[] = [];
  const lookAtNext = async (): Promise<void> => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop())
      found.push({ id, writtenAt: await writtenAt(files, id) });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lookAtNext));
  return found.sort((a, b) => b.writtenAt - a.writtenAt).map(({ id }) => id);
}

/** In milliseconds since the epoch; 0 where the file has gone. */
async function writtenAt(files: Pick<Fetcher, "fetch">, id: string): Promise<number> {
  const { headers } = await files.fetch(`http://files/${id}.sqlite-wal`, { method: "HEAD" });
  return Date.parse(headers.get("last-modified") ?? "") || 0;
}
