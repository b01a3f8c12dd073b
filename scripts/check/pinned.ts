// Reads package.json for dependencies that are not pinned to exactly one version.
import * as z from "zod";

const Versions = z.record(z.string(), z.string()).default({});
const Package = z.object({ dependencies: Versions, devDependencies: Versions, optionalDependencies: Versions });

/** Names, in the order of the file. Throws when `text` is no package.json. */
export function unpinnedVersions(text: string): string[] {
  const { dependencies, devDependencies, optionalDependencies } = Package.parse(JSON.parse(text));
  return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name]) => name);
}
