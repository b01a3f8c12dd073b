// What one caller may do, so that it leaves room for the others. An isolate counts for itself.
import { CallerLimits, type CallerLimit, type Entry } from "../../http/caller-limits.ts";
import { LOCAL_PRINCIPAL } from "../caller.ts";
import type { Admitted } from "./admit.ts";

/** The person at the machine, with all their programs. */
const LOCAL: CallerLimit = { perS: 1_000, burst: 2_000, open: 1_500 };
const ACCOUNT: CallerLimit = { perS: 100, burst: 500, open: 200 };
/** Their questions belong to accepted queries, which must not wait for themselves. */
const AGENT: CallerLimit = { perS: 1_000, burst: 2_000, open: Infinity };

const callers = new CallerLimits();

/** Lets one request of a caller in, or refuses it. */
export function enterAs({ caller: { principal, chain }, sender }: Admitted): Entry {
  if (sender !== undefined && chain.length > 0) return callers.enter(`agent ${sender}`, AGENT);
  return callers.enter(`account ${principal}`, principal === LOCAL_PRINCIPAL ? LOCAL : ACCOUNT);
}
