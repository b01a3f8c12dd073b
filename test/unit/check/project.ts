// A small project in a temporary folder, with this project's configuration: test/fixtures/clean, and over it the files
// that break the rules of one guard. Its guards run there as `npm run check` runs them here.
import { cp, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const CONFIGURATION = [
  ".oxfmtrc.json",
  ".oxlintrc.json",
  "knip.json",
  "tsconfig.base.json",
  "tsconfig.json",
  "tsconfig.node.json",
  "tsconfig.worker.json",
];

export interface Project extends AsyncDisposable {
  readonly root: string;
}

/** `overlays` are paths below this project's root whose content is copied over the clean project, in order. */
export async function makeProject(...overlays: (string | { from: string; to: string })[]): Promise<Project> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "troupe-check-")));
  await symlink(join(ROOT, "node_modules"), join(root, "node_modules"), "junction");
  const copies = [
    ...CONFIGURATION.map((path) => ({ from: path, to: path })),
    { from: "test/fixtures/clean", to: "." },
    ...overlays.map((overlay) => (typeof overlay === "string" ? { from: overlay, to: "." } : overlay)),
  ];
  for (const { from, to } of copies) {
    await cp(join(ROOT, from), join(root, to), { recursive: true });
  }
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}
