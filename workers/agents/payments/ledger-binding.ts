// Finds the payments agent's one Ledger among the bindings of its Worker.
import * as z from "zod";
import type { Ledger } from "./ledger.ts";

const Bindings = z.object({
  LEDGER: z.custom<DurableObjectNamespace<Ledger>>(
    (value) => typeof value === "object" && value !== null && "getByName" in value,
    "The binding LEDGER is missing: the job has to be deployed with the Worker's own Durable Object.",
  ),
});

/** Throws ZodError when the Worker was deployed without the binding. */
export function ledgerOf(env: object): DurableObjectStub<Ledger> {
  return Bindings.parse(env).LEDGER.getByName("ledger");
}
