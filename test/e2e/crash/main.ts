// `npm run test:crash [-- --kills N] [--seed S] [--isolation job|agent] [--supervised]`: kills, and proves from what is left that nothing was lost.
import { parseArgs } from "node:util";

import * as z from "zod";

import { report } from "./report.ts";
import { run, type Findings } from "./run.ts";

const Options = z.object({
  kills: z.coerce.number().int().min(1).default(200),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .default(() => Math.floor(Math.random() * 2 ** 32)),
  isolation: z.enum(["job", "agent", "both"]).default("both"),
  supervised: z.boolean().default(false),
  verbose: z.boolean().default(false),
});

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const { values } = parseArgs({
  options: { kills: text, seed: text, isolation: text, supervised: flag, verbose: flag },
});
const { kills, seed, isolation, supervised, verbose } = Options.parse(values);
console.log(`seed ${seed}`);
const findings: Findings[] = [];
for (const one of isolation === "both" ? (["job", "agent"] as const) : [isolation]) {
  const share = isolation === "both" ? Math.ceil(kills / 2) : kills;
  const progress = (line: string) => (verbose ? console.log(`${one}: ${line}`) : undefined);
  findings.push(await run({ isolation: one, supervised, kills: share, seed, progress }));
}
console.log(report(findings));
const faults = findings.flatMap(({ faults }) => faults);
for (const fault of faults) console.error(`FAULT ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
