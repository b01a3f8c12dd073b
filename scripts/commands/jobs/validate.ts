// troupe validate: checks job files and shows every mistake in them.
import { formatMistake, type Mistake } from "#jobs/file/mistake.ts";

import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { PLACEMENT_OPTIONS } from "../../jobs/placement-options.ts";
import { printJson, noteIfSlow } from "../../terminal/io.ts";
import { shown, troupeHome } from "../../project/project.ts";
import { manyLines } from "../../terminal/terminal-text.ts";

export default defineCommand({
  name: "validate",
  summary: "Check job files; all of jobs/ when none is named",
  usage: "[job …]",
  positionals: [0, 100],
  options: { ...PLACEMENT_OPTIONS, json: JSON_OPTION },
  examples: ["troupe validate research-assistant", "troupe validate my-job.yaml --json"],

  async run({ positionals, options, io }) {
    const { inOrder } = await import("#jobs/load.ts");
    const { buildWorkers } = await import("../../project/build.ts");
    const { checkAgents } = await import("../../inspection/check-agents.ts");
    const { findJobFile, jobFiles, tryLoad } = await import("../../jobs/job-files.ts");
    const { tryPlacement } = await import("../../jobs/read-placement.ts");
    const read = await tryPlacement(options);
    const wrongHosts = "mistakes" in read ? read : undefined;
    const placement = "mistakes" in read ? "unknown" : read.placement;
    const paths =
      positionals.length === 0 ? [...(await jobFiles()).values()] : await Promise.all(positionals.map(findJobFile));
    const loaded = await Promise.all(
      paths.map(async (path) => ({ file: shown(path), result: await tryLoad(path, placement) })),
    );
    const home = troupeHome();
    const built = await noteIfSlow(io, "Building the Workers", async () => buildWorkers(home));
    const jobs: { readonly file: string; readonly mistakes: readonly Mistake[] }[] = [];
    for (const { file, result } of loaded) {
      const [job, inFile] = "mistakes" in result ? [result.partial, result.mistakes] : [result, []];
      const found = job === undefined ? [] : await checkAgents(home, job, built, io.signal);
      jobs.push({ file, mistakes: inOrder(inFile.concat(found)) });
    }
    const wrong = jobs.filter(({ mistakes }) => mistakes.length > 0);
    const results = wrongHosts === undefined ? jobs : [wrongHosts, ...jobs];
    if (options.json === true) {
      printJson(io, { valid: results === jobs && wrong.length === 0, files: results });
    } else {
      for (const { file, mistakes } of results) {
        if (mistakes.length === 0) io.print(`${file}: ok`);
        for (const mistake of mistakes) io.note(manyLines(formatMistake(mistake)));
      }
    }
    const said = [
      ...(wrong.length === 0 ? [] : [`${wrong.length} of ${jobs.length} job files cannot be deployed.`]),
      ...(wrongHosts === undefined ? [] : [`Places were not checked, since ${wrongHosts.file} has mistakes.`]),
    ];
    if (said.length > 0) throw new CliError("bad_input", said.join("\n"));
  },
});
