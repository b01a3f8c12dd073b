// Finds the place of a name in an agent's sources, so that a mistake can be shown there.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path/posix";

import type { Bundle } from "../project/build.ts";
import { PROJECT, shown } from "../project/project.ts";

export interface Place {
  /** The path as a person in the working directory would type it. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1. */
  readonly column: number;
}

/** The beginning of a file of the project. */
export function beginningOf(file: string): Place {
  return { file: shown(join(PROJECT, file)), line: 1, column: 1 };
}

/**
 * The `nth` place where `name` stands as a literal or a field, the agent's own files first; the beginning of its module
 * without one.
 */
export async function placeOf({ entry, inputs }: Bundle, name: string | null, nth: number): Promise<Place> {
  if (name === null) return beginningOf(entry);
  const own = `${dirname(entry)}/`;
  const files = inputs.toSorted((a, b) => Number(b.startsWith(own)) - Number(a.startsWith(own)));
  const found: Place[] = [];
  for (const input of files) {
    const path = join(PROJECT, input);
    const text = await readFile(path, "utf8").catch(() => "");
    for (const offset of offsetsOf(text, name)) {
      const before = text.slice(0, offset);
      const line = before.split("\n").length;
      found.push({ file: shown(path), line, column: offset - before.lastIndexOf("\n") });
    }
    if (found.length >= nth) break;
  }
  return found[nth - 1] ?? found[0] ?? beginningOf(entry);
}

function offsetsOf(text: string, name: string): number[] {
  const forms = [`"${name}"`, `'${name}'`, `\`${name}\``, `${name}:`];
  return forms.flatMap((form) => allOf(text, form)).toSorted((a, b) => a - b);
}

function allOf(text: string, form: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) {
    // `readonly:` within `isReadonly:` is another name.
    if (!/[\w$]/.test(text[at - 1] ?? "")) found.push(at);
  }
  return found;
}
