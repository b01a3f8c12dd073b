// Durable Objects that one Worker has beside those of every agent.
import * as z from "zod";

/** The object `name` behind the Worker's binding. Throws ZodError when the Worker was deployed without the binding. */
export function ownObject<Type extends Rpc.DurableObjectBranded>(
  env: object,
  binding: string,
  name: string,
): DurableObjectStub<Type> {
  const Namespace = z.custom<DurableObjectNamespace<Type>>(
    (value) => typeof value === "object" && value !== null && "getByName" in value,
    `The binding ${binding} is missing: the job has to be deployed with the Worker's own Durable Object.`,
  );
  return Namespace.parse(Reflect.get(env, binding)).getByName(name);
}
