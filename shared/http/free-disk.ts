// How much room the disk under this process has, as its supervisor measures it once a second: work that would fill it is not taken.
import * as z from "zod";

/** The file `disk.json` behind the binding MACHINE, as scripts/targets/local/supervise.sh writes it. */
const Measurement = z.object({
  /** Seconds since the epoch. */
  at: z.number(),
  totalKb: z.number().nonnegative(),
  freeKb: z.number().nonnegative(),
});

export interface FreeDisk {
  /** Undefined where nobody measures. */
  readonly freeBytes: number | undefined;
  /** Whether work may be taken; true where nobody measures. */
  readonly enough: boolean;
}

/** Room that must be left: 64 MB, or a tenth of a small disk. */
const HEADROOM_KB = 64 * 1024;
const HEADROOM_SHARE = 0.1;
const CACHE_MS = 1_000;
/** Older than that, it is the word of a supervisor that is gone. */
const MAX_AGE_MS = 15_000;
const UNKNOWN: FreeDisk = { freeBytes: undefined, enough: true };
const RETRY_AFTER_S = 5;

/** The binding MACHINE, as far as it is used. */
interface Machine {
  fetch(url: string): Promise<Response>;
}

const read = new WeakMap<Machine, { readonly untilMs: number; readonly disk: Promise<FreeDisk> }>();

/** Asks at most once a second. Never throws. */
export async function freeDisk(machine: Machine | undefined): Promise<FreeDisk> {
  if (machine === undefined) return UNKNOWN;
  const known = read.get(machine);
  if (known !== undefined && Date.now() < known.untilMs) return known.disk;
  const disk = measure(machine);
  read.set(machine, { untilMs: Date.now() + CACHE_MS, disk });
  return disk;
}

async function measure(machine: Machine): Promise<FreeDisk> {
  try {
    const response = await machine.fetch("http://machine/disk.json");
    const { at, totalKb, freeKb } = Measurement.parse(await response.json());
    if (Math.abs(Date.now() - at * 1000) > MAX_AGE_MS) return UNKNOWN;
    return { freeBytes: freeKb * 1024, enough: freeKb >= Math.min(HEADROOM_KB, totalKb * HEADROOM_SHARE) };
  } catch {
    // Not measured yet, or just being written.
    return UNKNOWN;
  }
}

/** What to tell whoever is refused, and after how many seconds to try again. */
export function diskFull({ freeBytes = 0 }: FreeDisk): { readonly detail: string; readonly retryAfterS: number } {
  const megabytes = (freeBytes / 1024 / 1024).toFixed(1);
  return {
    detail: `disk full: ${megabytes} MB are left on the disk under this process, too few to take work. Make room, then send it again.`,
    retryAfterS: RETRY_AFTER_S,
  };
}
