// Deploy to healthy, and memory at rest. The first deploy builds and starts the control plane, a warm one has both.
import { residentMb } from "./processes.ts";
import { median } from "./quantile.ts";
import type { Bench } from "./servers.ts";
import { fixed, table } from "./table.ts";

const WARM = 5;

export async function deploy(bench: Bench): Promise<void> {
  const once = async () => bench.deploy("research-assistant", "research-assistant", "coordinator");
  const first = await once();
  const job = await residentMb(first.pid);
  const { pid, modelPid } = await bench.controlPlane();
  const shared = ((await residentMb(pid)) ?? Number.NaN) + ((await residentMb(modelPid)) ?? Number.NaN);
  const warm: number[] = [];
  for (let n = 0; n < WARM; n++) warm.push((await once()).deployMs);
  const rows = [
    ["first in this run", fixed(first.deployMs, 0)],
    [`warm, median of ${WARM}`, fixed(median(warm), 0)],
    ["warm, slowest", fixed(Math.max(...warm), 0)],
  ];
  console.log(table(["deploy to healthy, whole command", "ms"], rows));
  console.log("(aim: 1500 ms warm)");
  console.log(
    `\nRSS at rest: ${fixed(job, 0)} MB four agents + ${fixed(shared, 0)} MB control plane and offline model = ${fixed((job ?? Number.NaN) + shared, 0)} MB (aim: under 200)`,
  );
}
