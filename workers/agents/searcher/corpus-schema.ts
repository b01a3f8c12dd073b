// The wire format of the searcher's own routes: what a deployment uploads of a folder of documents.
import * as z from "zod";

/** The largest upload at once, in bytes. Larger files have to be left out or split by whoever uploads. */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** A file's place below the folder, with `/` on every system. */
const Path = z
  .string()
  .min(1)
  .max(1024)
  .refine((path) => !/\p{Cc}/u.test(path), "must not contain control characters");

export const CorpusFile = z.object({
  path: Path,
  /** Changes when the content does; what it is made of is the uploader's business. */
  hash: z.string().min(1).max(128),
  /** How its title is found: `data` (tables, programs) has none but the file's name. */
  type: z.enum(["md", "txt", "html", "data"]),
  text: z.string(),
});

export const Upload = z.object({
  /** The folder as citations name it. */
  root: z.string().max(1024),
  files: z.array(CorpusFile).max(5000),
});

export const Removal = z.object({ paths: z.array(Path).max(20_000) });

export type CorpusFile = z.output<typeof CorpusFile>;
export type Upload = z.output<typeof Upload>;
