// Makes machines ready for a release: connects to them, brings workerd there, and has them make their agents' keys.
import { LOCAL, type Place } from "#jobs/placement/place.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { reasonOf } from "#shared/text/reason.ts";
import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import { workerdBinary } from "../local/processes/workerd.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import { machineAt } from "./job-machines.ts";
import type { PublicKeys } from "./keys/public-keys.ts";
import { makeKeys } from "./machine/host-keys.ts";
import type { CheckedHost } from "./preflight/preflight.ts";
import { keyHolders } from "./release/host-processes.ts";
import type { Machines } from "./run.ts";
import { deliverWorkerd } from "./workerd/deliver.ts";

/** Throws CliError with what is wrong at each host that cannot be reached. */
export async function connectAll(places: readonly Place[], job: string, io: Io): Promise<Machines> {
  const all = await Promise.allSettled(places.map(async (place) => machineAt(place, job, io.signal)));
  io.signal.throwIfAborted();
  const failures = all.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
  const [first] = failures;
  if (failures.length === 1) throw first;
  if (failures.length > 1) {
    const lines = failures.map((each) => (each instanceof CliError ? `${each.message} ${each.next}` : reasonOf(each)));
    throw new CliError("failed", lines.join("\n"), "Nothing was sent.");
  }
  return new Map(all.flatMap((each) => (each.status === "fulfilled" ? [[each.value.id, each.value] as const] : [])));
}

/** Place → where workerd lies there. */
export async function bringWorkerd(
  hosts: ReadonlyMap<string, CheckedHost>,
  preparation: { readonly home: string; readonly io: Io },
): Promise<Map<string, string>> {
  const paths = [...hosts].map(
    async ([id, { connection, architecture }]) =>
      [id, (await deliverWorkerd(connection, architecture, preparation)).path] as const,
  );
  return new Map([[LOCAL.id, workerdBinary()], ...(await Promise.all(paths))]);
}

/** Holder → the public halves of its keys, which are made on its host where they are missing. */
export async function makeAllKeys(plan: Plan, machines: Machines): Promise<Map<string, PublicKeys>> {
  const made = plan.places.map(async (place) => {
    const machine = machines.get(place.id);
    if (machine === undefined) return [];
    return Object.entries(await makeKeys(machine.connection, `${machine.folder}/keys`, keyHolders(plan, place)));
  });
  return new Map((await Promise.all(made)).flat());
}

/** Has the hosts start the job when they start, and notes those that do not. */
export async function startAtBoot(
  machines: Machines,
  checked: ReadonlyMap<string, CheckedHost>,
  io: Io,
): Promise<void> {
  const notes = [...checked].map(async ([id, { facts }]) => {
    const why = `${id} does not bring the job back after a reboot`;
    if (!facts.hasUserServices) return `${why}: systemd does not manage services of this account there.`;
    if (!facts.lingers) return `${why}, unless the account may linger. Allow it there: loginctl enable-linger`;
    return machines
      .get(id)
      ?.startAtBoot()
      .then(
        () => undefined,
        (error: unknown) => `${why}: ${reasonOf(error)}`,
      );
  });
  for (const note of await Promise.all(notes)) if (note !== undefined) io.note(manyLines(note));
}
