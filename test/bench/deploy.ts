// Deploy to healthy, and memory at rest. The first deploy builds and starts the control plane, a warm one has both.
import { residentMb, type Bench } from "./servers.ts";
import { fixed, table } from "./table.ts";

const WARM = 5;

export async function deploy(bench: Bench): Promise<void> {
  const once = async () => bench.deploy("research-assistant", "research-assistant", "coordinator");
  const first = await once();
  const job = await residentMb(first.pid);
  const controlPlane = await residentMb((await bench.controlPlane()).pid);
  const warm: number[] = [];
  for (let n = 0; n < WARM; n++) warm.push((await once()).deployMs);
  warm.sort((a, b) => a - b);
  const rows = [
    ["first in this run", fixed(first.deployMs, 0)],
    [`warm, median of ${WARM}`, fixed(warm[Math.floor(WARM / 2)], 0)],
    ["warm, slowest", fixed(warm.at(-1), 0)],
  ];
  console.log(table(["deploy to healthy, whole command", "ms"], rows));
  console.log("(aim: 1500 ms warm)");
  const sum = job === undefined || controlPlane === undefined ? undefined : job + controlPlane;
  console.log(
    `\nRSS at rest: ${fixed(job, 0)} MB four agents + ${fixed(controlPlane, 0)} MB control plane and offline model = ${fixed(sum, 0)} MB (aim: under 200)`,
  );
}
