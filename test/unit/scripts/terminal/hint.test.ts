// Commands that are shown to be typed run where they are read.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

import { prefix, troupe, word } from "../../../../scripts/terminal/hint.ts";
import { PROJECT } from "../../../../scripts/project/project.ts";

const SCRIPT = `${PROJECT}/scripts/troupe.mjs`;

test.each([
  ["npx in the project", SCRIPT, PROJECT, { npm_command: "exec" }, "npx troupe"],
  ["npm run deploy:job", SCRIPT, PROJECT, { npm_command: "run-script" }, "npx troupe"],
  ["the script in the project", SCRIPT, `${PROJECT}/jobs`, {}, "npx troupe"],
  ["the command that npm has installed", `${PROJECT}/node_modules/.bin/troupe`, PROJECT, {}, "npx troupe"],
  ["the script from elsewhere", SCRIPT, "/", {}, `node ${SCRIPT}`],
  ["npx from elsewhere", `${PROJECT}/node_modules/.bin/troupe`, "/", { npm_command: "exec" }, `node ${SCRIPT}`],
  ["a command on the path", "/usr/bin/troupe", "/", { PATH: "/bin:/usr/bin" }, "troupe"],
  ["a command that is not on the path", "/opt/my tools/troupe", "/", { PATH: "/bin" }, "'/opt/my tools/troupe'"],
])("started by %s, a hint begins so", (_, script, folder, environment, expected) => {
  expect(prefix({ script, folder, environment })).toBe(expected);
});

test("what a hint names is one argument, and what is to be filled in stands as it is", () => {
  expect(troupe`query ${"my job"} "…" --session ${"a;b"}`).toBe(`npx troupe query 'my job' "…" --session 'a;b'`);
  expect(troupe`logs ${"it's"} --agent ${""}`).toBe(String.raw`npx troupe logs 'it'\''s' --agent ''`);
});

test("no message names a command but by the prefix that runs", async () => {
  const folder = join(PROJECT, "scripts");
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".ts"));
  const lines = await Promise.all(
    files.map(async (file) =>
      (await readFile(join(folder, file), "utf8")).split("\n").map((line) => `${file}: ${line.trim()}`),
    ),
  );
  // A usage names the program; examples in help get the prefix when they are printed.
  const hints = lines
    .flat()
    .filter((line) => /(?<!Usage|missing|many): troupe |[Rr]un troupe /.test(line.replace(/^\S+: /, "")));
  expect(hints).toEqual([]);
  expect(lines.length).toBeGreaterThan(100);
});

test("a foreign id with control characters is a word that a terminal does not obey, and a shell reads back", () => {
  const id = "a'b\\c\u001b[2Jd\ne\u202e";
  expect(word(id)).toBe(String.raw`$'a\'b\\c\u001b[2Jd\u000ae\u202e'`);
});
