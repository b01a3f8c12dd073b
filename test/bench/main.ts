// `npm run bench [-- deploy|turn|research|load|growth|…]`: ratios in one run. Method and the figures of one machine: docs/benchmarks.md.
import { a2a } from "./a2a.ts";
import { cloudflare } from "./cloudflare.ts";
import { cloudflareCost } from "./cloudflare-cost.ts";
import { deploy } from "./deploy.ts";
import { durability } from "./durability.ts";
import { growth } from "./growth.ts";
import { hostile } from "./hostile.ts";
import { hosts } from "./hosts.ts";
import { load } from "./load.ts";
import { research } from "./research.ts";
import { Bench } from "./servers.ts";
import { text } from "./text.ts";
import { traceStore } from "./trace-store.ts";
import { tracing, tracingMemory } from "./tracing.ts";
import { turn } from "./turn.ts";

const sections: Record<string, (bench: Bench) => Promise<void>> = {
  deploy,
  turn,
  research,
  load,
  a2a,
  growth,
  durability,
  text,
  hostile,
  tracing,
  "tracing-memory": tracingMemory,
  "trace-store": traceStore,
  hosts,
  cloudflare,
  "cloudflare-cost": cloudflareCost,
};
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(sections, name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(", ")}. There are: ${Object.keys(sections).join(", ")}.`);
  process.exit(2);
}
const bench = await Bench.create();
const stop = () => void bench.close().finally(() => process.exit(1));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
try {
  for (const [name, section] of Object.entries(sections)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`\n== ${name}`);
    await section(bench);
  }
} finally {
  await bench.close();
}
