// Deploy to healthy: the first deploy builds and starts the control plane, a warm one has both.
import type { Bench } from "./servers.ts";
import { fixed, table } from "./table.ts";

const WARM = 5;

export async function deploy(bench: Bench): Promise<void> {
  const once = async () => (await bench.deploy("research-assistant", "research-assistant", "coordinator")).deployMs;
  const first = await once();
  const warm: number[] = [];
  for (let n = 0; n < WARM; n++) warm.push(await once());
  warm.sort((a, b) => a - b);
  const rows = [
    ["first in this run", fixed(first, 0)],
    [`warm, median of ${WARM}`, fixed(warm[Math.floor(WARM / 2)], 0)],
    ["warm, slowest", fixed(warm.at(-1), 0)],
  ];
  console.log(table(["deploy to healthy, whole command", "ms"], rows));
  console.log("(aim: 1500 ms warm)");
}
