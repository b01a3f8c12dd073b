// Explains an error that an agent threw while it was loaded or inspected: its message, and its place in the sources.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path/posix";

import * as z from "zod";

import { readSourceTable } from "#shared/tracing/source-lines.ts";

import { type Bundle, tablePath } from "../project/build.ts";
import { PROJECT, shown } from "../project/project.ts";
import { beginningOf, type Place } from "./place.ts";

const Table = z.object({ files: z.array(z.string()), pieces: z.string() });

/** A place in the bundle, as workerd writes it for an error while a module loads. */
const IN_BUNDLE = /\bindex\.js:(\d{1,9}):(\d{1,9})/g;
/** A place in the sources, as stacks name it. */
const IN_SOURCE = /^ {4}at ((?:workers|shared|test)\/[^\s:()]+):(\d{1,9})$/gm;
/** workerd's words before the message, and its stack after the message. */
const ENGINE_WORDS = /^Failed to start Worker:\s*(?:Uncaught )?/;
const FRAMES = /\n\s*at [\s\S]*$/;

export interface Thrown {
  readonly place: Place;
  /** One line or more, without a stack. */
  readonly message: string;
}

/** The place is the first one of the stack in the agent's own folder, else the first one, else the beginning of the module. */
export async function explainThrown(
  bundle: Bundle,
  { thrown, stack }: { thrown: string; stack: string },
): Promise<Thrown> {
  const lines = readSourceTable(await readTable(bundle));
  const found = [
    ...[...thrown.matchAll(IN_BUNDLE)].map(([, line, column]) => lines.at(Number(line), Number(column)) ?? ""),
    ...[...stack.matchAll(IN_SOURCE)].map(([, file, line]) => `${file}:${line}`),
  ].filter((place) => place.includes(":"));
  const chosen = found.find((place) => place.startsWith(`${dirname(bundle.entry)}/`)) ?? found[0];
  const [file, line] = chosen?.split(":") ?? [];
  const place =
    file === undefined
      ? beginningOf(bundle.entry)
      : { file: shown(join(PROJECT, file)), line: Number(line), column: 1 };
  return { place, message: thrown.replace(ENGINE_WORDS, "").replace(FRAMES, "") };
}

async function readTable(bundle: Bundle): Promise<z.infer<typeof Table>> {
  return Table.parse(JSON.parse(await readFile(tablePath(bundle.path), "utf8")));
}
