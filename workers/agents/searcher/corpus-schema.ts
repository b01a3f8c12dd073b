// Wire format of the searcher's own routes, by which a deployment uploads documents.
import * as z from "zod";

/** Bytes of one upload. The uploader must leave out or split larger files. */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** A path below the folder, with `/` on every system. */
const Path = z
  .string()
  .min(1)
  .max(1024)
  .refine((path) => !/\p{Cc}/u.test(path), "must not contain control characters");

export const CorpusFile = z.object({
  path: Path,
  /** Changes with the content. The uploader chooses the hash. */
  hash: z.string().min(1).max(128),
  /** Decides how the title is found. `data` (tables, programs) has only the file's name. */
  type: z.enum(["md", "txt", "html", "data"]),
  text: z.string(),
});

export const Upload = z.object({
  /** The folder's name in citations. */
  root: z.string().max(1024),
  files: z.array(CorpusFile).max(5000),
});

export const Removal = z.object({ paths: z.array(Path).max(20_000) });

export type CorpusFile = z.output<typeof CorpusFile>;
export type Upload = z.output<typeof Upload>;
