// Guard: the project's own rules that no tool knows. A rule about lines is a row of the table; the others are code.
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { listFiles } from "./files.ts";

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

const Versions = z.record(z.string(), z.string()).default({});
const Package = z.object({ dependencies: Versions, devDependencies: Versions, optionalDependencies: Versions });

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

const findings = await Promise.all((await listFiles(process.cwd())).map(broken));
if (findings.flat().length > 0) {
  process.stdout.write(`${findings.flat().join("\n")}\n`);
  process.exitCode = 1;
}

async function broken(path: string): Promise<string[]> {
  if (!TEXT.test(path)) return [];
  const text = await readFile(path, "utf8");
  const rules = LINE_RULES.filter(({ files }) => files.test(path));
  const found = text
    .split(/\r?\n/)
    .flatMap((line, index) =>
      rules
        .filter((rule) => rule.line.test(line))
        .map(({ rule, message }) => `${path}:${index + 1} ${rule}: ${message}`),
    );
  if (CODE.test(path) && /(^|[/-])(utils?|helpers?|manager|common)(\/|\.ts$)/.test(path)) {
    found.push(`${path} file-name: Name what it holds.`);
  }
  if (path !== "package.json") return found;
  const { dependencies, devDependencies, optionalDependencies } = Package.parse(JSON.parse(text));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) found.push(`${path} pinned-versions: Pin ${name} to one version.`);
  }
  return found;
}
