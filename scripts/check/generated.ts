// Guard: generated files are what their generators write now.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runTool, type Guard } from "./guard.ts";

export const generated: Guard = {
  name: "generated",
  async find(root) {
    const output = await runTool(root, pathToFileURL(join(root, "scripts/generate-schema.ts")), ["--check"]);
    if (output.code === 0) return [];
    return [{ rule: "job-schema", where: "jobs/job.schema.json", message: `${output.stderr}${output.stdout}`.trim() }];
  },
};
