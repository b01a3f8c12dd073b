// Guard: knip (knip.json) finds files, exports and dependencies that nothing uses, and imports that package.json lacks.
import * as z from "zod";
import { agreed, runTool, ToolError, type Finding, type Guard } from "./guard.ts";

const KNIP = new URL("../bin/knip.js", import.meta.resolve("knip"));

const Issues = z.array(z.object({ name: z.string(), line: z.number().optional() }));
// Beside `file`, a key for each kind of issue; a kind whose issues look different is an error, not something to skip.
const Report = z.object({ issues: z.array(z.object({ file: z.string() }).catchall(Issues)) });

export const deadCode: Guard = {
  name: "dead-code",
  async find(root) {
    const output = await runTool(root, KNIP, ["--reporter", "json", "--no-progress", "--no-config-hints"]);
    if (!output.stdout.startsWith("{")) throw new ToolError("knip", output);
    const findings: Finding[] = [];
    for (const { file, ...kinds } of Report.parse(JSON.parse(output.stdout)).issues) {
      for (const [rule, issues] of Object.entries(kinds)) {
        for (const { name, line } of issues) {
          findings.push({ rule, where: line === undefined ? file : `${file}:${line}`, message: name });
        }
      }
    }
    return agreed("knip", output, findings);
  },
};
