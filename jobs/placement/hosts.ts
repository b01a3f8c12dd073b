// Host files, as those of mpirun: one host a line, `host [slots=N] [address=…] [expose=https|tunnel]`. `# …` is a
// comment; `[name]` begins a group, to which the hosts below it belong.
import { suggest } from "#shared/text/nearest.ts";
import { escaped } from "#shared/text/visible.ts";
import type { Mistake } from "../file/mistake.ts";
import { isMalformed, type Malformed, parseAddress, parseDestination } from "./destination.ts";
import type { Expose } from "./place.ts";

/** A host of a host file. */
export interface Host {
  readonly kind: "local" | "ssh";
  /** As of a Place; absent for this machine. */
  readonly destination?: string | undefined;
  readonly port?: number | undefined;
  /** Where the line gives one. */
  readonly address?: string | undefined;
  readonly expose: Expose;
  readonly slots: number;
  /** Undefined for a host above the first group. */
  readonly group: string | undefined;
}

export interface Hosts {
  /** In the order of the file. A host may be in several groups. */
  readonly hosts: readonly Host[];
  readonly groups: readonly string[];
}

export interface HostFile {
  readonly hosts: Hosts;
  /** In the order of the file. */
  readonly mistakes: readonly Mistake[];
}

interface Word {
  readonly text: string;
  /** Counted from 1. */
  readonly column: number;
}

/** A flaw of a line, at a column. */
interface Flaw {
  readonly column: number;
  readonly message: string;
  readonly hint: string;
}

const KEYS = ["slots", "address", "expose"];
const MAX_SLOTS = 10_000;
/** Longest part of the text that a message repeats. */
const SHOWN = 60;
const GROUP_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
const GROUP_RULE = "A group's name is letters, digits, _ and -, at most 63.";
/** What a target may say, so that no group takes it. */
const TAKEN: ReadonlySet<string> = new Set(["local", "localhost", "cloudflare", "ssh"]);

/** Never throws, and takes time in proportion to the text. The hosts are those of the lines without mistakes. */
export function parseHosts(text: string, file: string): HostFile {
  const hosts: Host[] = [];
  const mistakes: Mistake[] = [];
  /** Group → the line of its header, and whether a line of a host follows. */
  const groups = new Map<string, { readonly line: number; isUsed: boolean }>();
  /** Group and host → its line. */
  const lines = new Map<string, number>();
  /** Host → what is said of it in an earlier line. */
  const said = new Map<string, { readonly line: number; readonly about: string }>();
  let group: string | undefined;
  let names = false;

  for (const [index, content] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    const line = index + 1;
    const refuse = ({ column, message, hint }: Flaw): void => void mistakes.push({ file, line, column, message, hint });
    const words = wordsOf(content);
    const [first] = words;
    if (first === undefined) continue;
    names = true;
    if (isHeader(first)) {
      const header = parseHeader(words, (name) => groups.get(name)?.line);
      if ("message" in header) refuse(header);
      else groups.set(header.name, { line, isUsed: false });
      group = "message" in header ? undefined : header.name;
      continue;
    }
    const header = group === undefined ? undefined : groups.get(group);
    if (header !== undefined) header.isUsed = true;
    const host = parseLine(words, group);
    if ("message" in host) {
      refuse(host);
      continue;
    }
    const id = keyOf(host);
    const here = JSON.stringify([group, id]);
    const earlier = lines.get(here);
    if (earlier !== undefined) {
      const where = group === undefined ? "" : ` in the group ${group}`;
      const hint = "Remove one of the lines; slots=N deals it more agents.";
      refuse({ column: first.column, message: `this host is in line ${earlier} already${where}`, hint });
      continue;
    }
    const about = JSON.stringify([host.address, host.expose]);
    const before = said.get(id);
    if (before !== undefined && before.about !== about) {
      const hint = "A host has one address and one expose: write them at each of its lines.";
      refuse({ column: first.column, message: `line ${before.line} says something else of this host`, hint });
      continue;
    }
    lines.set(here, line);
    said.set(id, { line, about });
    hosts.push(host);
  }
  for (const [name, { line, isUsed }] of groups) {
    if (isUsed) continue;
    const hint = "Write its hosts below it, one a line, or remove it.";
    mistakes.push({ file, line, column: 1, message: `the group ${name} has no hosts`, hint });
  }
  if (!names) {
    const hint = "Write one host a line: host slots=2";
    mistakes.push({ file, line: 1, column: 1, message: "the file names no host", hint });
  }
  return {
    hosts: { hosts, groups: [...groups.keys()] },
    mistakes: mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column),
  };
}

/** Tells hosts apart: what ssh is given, and its port. */
export function keyOf({ destination = "", port }: Pick<Host, "destination" | "port">): string {
  return JSON.stringify([destination, port]);
}

/** The words of a line without its comment. */
function wordsOf(line: string): Word[] {
  const words: Word[] = [];
  let start = -1;
  for (let index = 0; index <= line.length; index++) {
    const character = line.charAt(index);
    const isBetween = character === "" || character === "#" || " \t\r".includes(character);
    if (!isBetween && start === -1) start = index;
    if (isBetween && start !== -1) {
      words.push({ text: line.slice(start, index), column: start + 1 });
      start = -1;
    }
    if (character === "#") break;
  }
  return words;
}

/** An IPv6 address stands in brackets as a group does, and has a colon. */
function isHeader({ text }: Word): boolean {
  return text.startsWith("[") && !text.includes(":");
}

function parseHeader(
  [first, second]: readonly Word[],
  lineOf: (name: string) => number | undefined,
): { readonly name: string } | Flaw {
  const { text = "", column = 1 } = first ?? {};
  const end = text.indexOf("]");
  if (end === -1) return { column, message: "the ] of the group is missing", hint: "Such as [workers]." };
  if (end < text.length - 1 || second !== undefined) {
    return {
      column: end < text.length - 1 ? column + end + 1 : (second?.column ?? column),
      message: "nothing may follow a group",
      hint: "Write its hosts below it, one a line.",
    };
  }
  const name = text.slice(1, -1);
  if (!GROUP_PATTERN.test(name)) return { column, message: "this is no name of a group", hint: GROUP_RULE };
  if (TAKEN.has(name)) return { column, message: `a group cannot be called ${name}`, hint: "Choose another name." };
  const earlier = lineOf(name);
  if (earlier === undefined) return { name };
  return { column, message: `the group ${name} begins in line ${earlier} already`, hint: "Write all its hosts there." };
}

function parseLine([first, ...others]: readonly Word[], group: string | undefined): Host | Flaw {
  const { text = "", column = 1 } = first ?? {};
  const settings = parseSettings(others);
  const isHere = text === "local" || text === "localhost";
  const parsed = isHere ? undefined : parseDestination(text);
  if (parsed !== undefined && isMalformed(parsed)) {
    return { column: column + parsed.offset, message: parsed.message, hint: parsed.hint };
  }
  if ("message" in settings) return settings;
  const { slots = 1, expose = "https", address } = settings;
  return {
    kind: parsed === undefined ? "local" : "ssh",
    ...(parsed === undefined ? {} : { destination: parsed.destination }),
    ...(parsed?.port === undefined ? {} : { port: parsed.port }),
    ...(address === undefined ? {} : { address }),
    expose,
    slots,
    group,
  };
}

interface Settings {
  readonly slots?: number;
  readonly address?: string;
  readonly expose?: Expose;
}

/** The `key=value` words behind a host. */
function parseSettings(words: readonly Word[]): Settings | Flaw {
  let settings: Settings = {};
  const seen = new Set<string>();
  for (const { text, column } of words) {
    const equals = text.indexOf("=");
    if (equals === -1) {
      const hint = "A line is: host slots=N address=… expose=…, without spaces around =.";
      return { column, message: `${quoted(text)} is no setting`, hint };
    }
    const key = text.slice(0, equals);
    if (!KEYS.includes(key)) return { column, message: `unknown setting ${quoted(key)}`, hint: suggest(key, KEYS) };
    if (seen.has(key)) return { column, message: `${key} is given twice`, hint: "Remove one of them." };
    seen.add(key);
    const setting = parseSetting(key, text.slice(equals + 1));
    if ("message" in setting) return { ...setting, column: column + equals + 1 + setting.offset };
    settings = { ...settings, ...setting };
  }
  return settings;
}

function parseSetting(key: string, value: string): Settings | Malformed {
  switch (key) {
    case "slots": {
      const slots = /^\d{1,5}$/.test(value) ? Number(value) : 0;
      if (slots >= 1 && slots <= MAX_SLOTS) return { slots };
      return {
        offset: 0,
        message: `slots is a number from 1 to ${MAX_SLOTS}`,
        hint: "A host without agents has no line.",
      };
    }
    case "expose":
      if (value === "https" || value === "tunnel") return { expose: value };
      return { offset: 0, message: `expose cannot be ${quoted(value)}`, hint: suggest(value, ["https", "tunnel"]) };
    default:
      return parseAddress(value);
  }
}

function quoted(text: string): string {
  return escaped(JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text));
}
