// Guard: oxlint with type information (.oxlintrc.json).
import * as z from "zod";
import { agreed, runTool, ToolError, type Guard } from "./guard.ts";

const OXLINT = new URL("../bin/oxlint", import.meta.resolve("oxlint"));

const Report = z.object({
  number_of_files: z.number(),
  diagnostics: z.array(
    z.object({
      message: z.string(),
      code: z.string().optional(),
      help: z.string().optional(),
      filename: z.string(),
      labels: z.array(z.object({ span: z.object({ line: z.number() }) })),
    }),
  ),
});

export const lint: Guard = {
  name: "lint",
  async find(root) {
    const output = await runTool(root, OXLINT, ["--deny-warnings", "--format", "json"]);
    if (!output.stdout.startsWith("{")) throw new ToolError("oxlint", output);
    const report = Report.parse(JSON.parse(output.stdout));
    if (report.number_of_files === 0) throw new Error("oxlint saw no file.");
    const findings = report.diagnostics.map(({ message, code, help, filename, labels }) => ({
      // The report says `typescript(no-explicit-any)`; .oxlintrc.json says `typescript/no-explicit-any`.
      rule: code?.replace("(", "/").replace(")", "") ?? "syntax",
      where: `${filename.replaceAll("\\", "/")}:${labels[0]?.span.line ?? 1}`,
      message: help === undefined ? message : `${message} ${help}`,
    }));
    return agreed("oxlint", output, findings);
  },
};
