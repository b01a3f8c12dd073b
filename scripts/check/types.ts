// Guards: the types of Worker code and of Node code, each with only what its platform has.
import { agreed, runTool, type Guard } from "./guard.ts";

const TSC = new URL("../bin/tsc", import.meta.resolve("typescript"));

export const workerTypes = typesOf("worker");
export const nodeTypes = typesOf("node");

function typesOf(platform: "worker" | "node"): Guard {
  const name = `types-${platform}`;
  return {
    name,
    async find(root) {
      const output = await runTool(root, TSC, ["--project", `tsconfig.${platform}.json`, "--pretty", "false"]);
      const findings = [];
      for (const line of output.stdout.split(/\r?\n/)) {
        // `path(line,column): error TS2304: message`; an error of the configuration has no place.
        const [, path = "", at, code = "", message = ""] =
          /^(?:(.+)\((\d+),\d+\): )?error (TS\d+): (.*)$/.exec(line) ?? [];
        if (code === "") continue;
        findings.push({ rule: code, where: at === undefined ? `tsconfig.${platform}.json` : `${path}:${at}`, message });
      }
      return agreed("tsc", output, findings);
    },
  };
}
