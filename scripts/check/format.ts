// Guard: every file is as oxfmt (.oxfmtrc.json) writes it.
import { agreed, runTool, type Guard } from "./guard.ts";

const OXFMT = new URL("../bin/oxfmt", import.meta.resolve("oxfmt"));

export const format: Guard = {
  name: "format",
  async find(root) {
    const output = await runTool(root, OXFMT, ["--list-different", "."]);
    const paths = output.stdout.split(/\r?\n/).filter((line) => line !== "");
    const message = "Not formatted. Run: npm run format";
    return agreed(
      "oxfmt",
      output,
      paths.map((where) => ({ rule: "format", where, message })),
    );
  },
};
