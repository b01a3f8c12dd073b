// Text that is made to keep a reader busy: how time and memory of each pass over foreign text grow with the text. A process
// for each pass and size, since memory is told for a whole process. The hostile texts of a size are read one after another.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as z from "zod";
import { PASSES } from "../support/hostile-text.ts";
import { aims } from "./aims.ts";
import type { Bench } from "./servers.ts";
import { fixed, table } from "./table.ts";

const run = promisify(execFile);
/** Characters of what is usually read: a long message, a page. */
const USUAL = 10_000;
const SIZES = [1, 10, 100];
/** Below this a growth says more of the machine than of the pass. */
const LEAST_MS = 20;
const LEAST_MB = 20;

const Measured = z.object({ totalMs: z.number(), holdMs: z.number(), worst: z.string(), mb: z.number() });
type Measured = z.infer<typeof Measured>;

export async function hostile(_: Bench): Promise<void> {
  const rows: string[][] = [];
  const holds: number[] = [];
  for (const [pass, { isWhole }] of Object.entries(PASSES)) {
    const found: Measured[] = [];
    for (const size of SIZES) found.push(await measure(pass, USUAL * size));
    const [, ten, hundred] = found;
    rows.push([
      pass,
      ...found.map(({ totalMs }) => fixed(totalMs, 0)),
      fixed(growth(ten?.totalMs, hundred?.totalMs, LEAST_MS)),
      ...found.map(({ mb }) => fixed(mb, 0)),
      fixed(growth(ten?.mb, hundred?.mb, LEAST_MB)),
      isWhole ? fixed(hundred?.holdMs, 0) : "",
      hundred?.worst.slice(0, 24) ?? "",
    ]);
    if (isWhole) holds.push(hundred?.holdMs ?? Number.NaN);
  }
  const sizes = SIZES.map((size) => `${(USUAL * size) / 1000} kB`);
  console.log(
    table(
      [
        "all hostile texts read by",
        ...sizes.map((size) => `ms ${size}`),
        "growth",
        ...sizes.map((size) => `MB ${size}`),
        "growth",
        "longest hold, ms",
        "of",
      ],
      rows,
    ),
  );
  console.log(
    "growth: from the second size to the third, divided by ten; 1 is linear. Small figures are taken for what can be told.\n" +
      "longest hold: of the loop, by one stretch of a pass, at the last size; none for passes that their callers give slices.\n",
  );
  console.log(aims([{ what: "longest hold, ms", values: [Math.max(...holds)], most: 200, digits: 0 }]));
}

async function measure(pass: string, chars: number): Promise<Measured> {
  const script = new URL("hostile-pass.ts", import.meta.url).pathname;
  const { stdout } = await run(process.execPath, [script, pass, String(chars)]);
  return Measured.parse(JSON.parse(stdout));
}

function growth(smaller: number | undefined, larger: number | undefined, least: number): number | undefined {
  if (smaller === undefined || larger === undefined) return undefined;
  return Math.max(larger, least) / Math.max(smaller, least / 10) / 10;
}
