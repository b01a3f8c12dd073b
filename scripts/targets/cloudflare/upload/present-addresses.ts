// The addresses that a deployed job has in the account.
import type { JobLayout } from "../../local/state/layout.ts";
import { readRelease } from "../../local/state/release.ts";
import type { JobState } from "../../local/state/state.ts";
import { type Addresses, addressesOf, hidden } from "./addresses.ts";

/** None for a job that is not in this account. */
export async function presentAddresses(
  layout: JobLayout,
  state: JobState | undefined,
  { id }: { readonly id: string },
): Promise<Addresses[]> {
  if (state?.cloudflare?.account !== id) return [];
  const all = addressesOf(await readRelease(layout, state.release));
  return state.stoppedAt === null ? all : hidden(all);
}
