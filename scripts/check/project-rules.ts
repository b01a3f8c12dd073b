// Guard: the project's own rules that no tool knows. A rule about lines is a row of the table; the others are functions.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { listFiles } from "./files.ts";
import type { Finding, Guard } from "./guard.ts";
import { unpinnedVersions } from "./pinned.ts";

interface LineRule {
  readonly rule: string;
  /** Which files, by path. */
  readonly files: RegExp;
  /** What no line of them may hold. */
  readonly line: RegExp;
  readonly message: string;
}

const CODE = /\.(ts|mjs|cjs|js)$/;
const TEXT = /\.(ts|mjs|cjs|js|jsonc?|md|ya?ml|toml|html|css|sh)$|^\.ci\//;
const PRODUCTION = /^(workers|shared|jobs|scripts)\/.+\.(ts|mjs)$/;

const LINE_RULES: readonly LineRule[] = [
  {
    rule: "unsafe-cast",
    files: CODE,
    line: /^(?!\s*(\/\/|\/?\*)).*\bas\s+(any\b(?!\s+\w)|unknown\s+as\b)/,
    message: "Parse it with zod, or let the types say what it is.",
  },
  { rule: "ts-ignore", files: CODE, line: /@ts-(ignore|nocheck)/, message: "Fix the type instead." },
  {
    rule: "unexplained-disable",
    files: CODE,
    line: /\b(ox|es)lint-disable(?!.* -- \S)/,
    message: "Say why the rule does not hold here: `-- reason`.",
  },
  {
    rule: "zod-namespace",
    files: CODE,
    line: /^import (?!\* as z |type ).*from "zod"/,
    message: 'Write import * as z from "zod": the named import triples a bundle.',
  },
  {
    rule: "private-keyword",
    files: PRODUCTION,
    line: /^\s+private (?!constructor\b)/,
    message: "Use #private: TypeScript's private is callable over RPC.",
  },
  { rule: "banner", files: CODE, line: /^\s*(\/\/|\/?\*)\s*[-=*#~─═]{4,}/, message: "No banners: make it a file." },
  {
    rule: "machine-path",
    files: TEXT,
    line: /(?<![\w.:/~-])\/(home\/(?!me\/)|work\/|root\/|Users\/)\w/,
    message: "A path of somebody's machine.",
  },
  {
    rule: "lock-without-registry",
    files: /^package-lock\.json$/,
    line: /"resolved":/,
    message: "Names a registry. Write the lock file with npm's omit-lockfile-registry-resolved.",
  },
];

export const projectRules: Guard = {
  name: "project-rules",
  async find(root) {
    const paths = await listFiles(root);
    const findings = await Promise.all(
      paths.map(async (path) => {
        if (!TEXT.test(path)) return [];
        const text = await readFile(join(root, path), "utf8");
        return [...brokenLines(path, text), ...brokenFile(path, text)];
      }),
    );
    return findings.flat();
  },
};

function brokenLines(path: string, text: string): Finding[] {
  const rules = LINE_RULES.filter(({ files }) => files.test(path));
  return text
    .split(/\r?\n/)
    .flatMap((line, index) =>
      rules
        .filter((rule) => rule.line.test(line))
        .map(({ rule, message }) => ({ rule, where: `${path}:${index + 1}`, message })),
    );
}

function brokenFile(path: string, text: string): Finding[] {
  const findings: Finding[] = [];
  if (path === "package.json") {
    for (const name of unpinnedVersions(text)) {
      findings.push({ rule: "pinned-versions", where: path, message: `${name} is not pinned to one version.` });
    }
  }
  if (PRODUCTION.test(path)) {
    const message = "Begin with a comment of one to six lines: what the file owns, what it leaves to whom.";
    if (!/^(#!.*\n)?(\/\/.*\r?\n){1,6}(?!\/\/)/.test(text)) findings.push({ rule: "header", where: path, message });
  }
  if (CODE.test(path) && /(^|[/-])(utils?|helpers?|manager|common)(\/|\.ts$)/.test(path)) {
    findings.push({ rule: "file-name", where: path, message: "Name what it holds." });
  }
  return findings;
}
