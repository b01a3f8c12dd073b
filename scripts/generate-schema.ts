// Writes jobs/job.schema.json, which editors use to complete and check job files. With --check it only compares, and
// fails when the file is not current.
import { readFile, writeFile } from "node:fs/promises";

import { jobJsonSchema } from "#jobs/schema/schema.ts";

const path = new URL("../jobs/job.schema.json", import.meta.url);
const current = `${JSON.stringify(jobJsonSchema(), null, 2)}\n`;

if (process.argv.includes("--check")) {
  const stored = (await readFile(path, "utf8")).replaceAll("\r\n", "\n");
  if (stored !== current) {
    process.stderr.write("jobs/job.schema.json is not current. Run: npm run generate:schema\n");
    process.exitCode = 1;
  }
} else {
  await writeFile(path, current);
}
