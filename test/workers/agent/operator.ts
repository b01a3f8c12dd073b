// The operations on sessions of the test agent, as the command line sends them.
import { signedBy } from "../../support/test-signers.ts";
import { post } from "./client.ts";

/** One operation of the command line; with `mandate` of somebody else. */
export async function operate(name: string, body: object, mandate: object = {}): Promise<Response> {
  const path = `/sessions/${name}`;
  const text = JSON.stringify({ principal: "local", ...body });
  return post(
    path,
    text,
    signedBy({ from: "command-line", chain: [], ...mandate }, { method: "POST", path, body: text }),
  );
}

export async function operated<Result>(name: string, body: object): Promise<Result> {
  const response = await operate(name, body);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.json<Result>();
}
