// Free disk space, as the supervisor measures it once a second: with too little, no work is accepted.
import * as z from "zod";
import { busy, type Refusal } from "./gate.ts";

/** The file `disk.json` behind the binding MACHINE, written by scripts/targets/local/processes/supervise.sh. */
const Measurement = z.object({
  /** Seconds since the epoch. */
  at: z.number(),
  totalKb: z.number().nonnegative(),
  freeKb: z.number().nonnegative(),
});

export interface FreeDisk {
  /** Undefined where no supervisor measures. */
  readonly freeBytes: number | undefined;
  /** Whether work may be accepted; true where no supervisor measures. */
  readonly enough: boolean;
}

/** Space that must stay free: 64 MB, or a tenth of a small disk. */
const HEADROOM_KB = 64 * 1024;
const HEADROOM_SHARE = 0.1;
const CACHE_MS = 1_000;
/** An older measurement comes from a supervisor that has died. */
const MAX_AGE_MS = 15_000;
const UNKNOWN: FreeDisk = { freeBytes: undefined, enough: true };
const RETRY_AFTER_S = 5;

/** The binding MACHINE. */
interface Machine {
  fetch(url: string): Promise<Response>;
}

const last = new WeakMap<Machine, { readonly untilMs: number; readonly disk: FreeDisk }>();

/** Reads the measurement at most once a second. Never throws. */
export async function freeDisk(machine: Machine | undefined): Promise<FreeDisk> {
  if (machine === undefined) return UNKNOWN;
  const known = last.get(machine);
  if (known !== undefined && Date.now() < known.untilMs) return known.disk;
  // Other requests use the old measurement: they must not wait for a promise of this request, which may end first.
  const untilMs = Date.now() + CACHE_MS;
  last.set(machine, { untilMs, disk: known?.disk ?? UNKNOWN });
  const disk = await measure(machine);
  last.set(machine, { untilMs, disk });
  return disk;
}

async function measure(machine: Machine): Promise<FreeDisk> {
  try {
    const response = await machine.fetch("http://machine/disk.json");
    const { at, totalKb, freeKb } = Measurement.parse(await response.json());
    if (Math.abs(Date.now() - at * 1000) > MAX_AGE_MS) return UNKNOWN;
    return { freeBytes: freeKb * 1024, enough: freeKb >= Math.min(HEADROOM_KB, totalKb * HEADROOM_SHARE) };
  } catch {
    // Not measured yet, or half written.
    return UNKNOWN;
  }
}

export function diskFull({ freeBytes = 0 }: FreeDisk): Refusal {
  const megabytes = (freeBytes / 1024 / 1024).toFixed(1);
  return busy(`disk full: ${megabytes} MB are left on the disk under this process. Make room.`, RETRY_AFTER_S);
}
