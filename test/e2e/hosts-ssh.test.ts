import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Connection } from "../../scripts/targets/hosts/ssh/connection.ts";
import { noSshd, type SshHost, startSshHost } from "../support/ssh-host.ts";

const connect = (host: SshHost, destination = host.destination): Promise<Connection> =>
  Connection.open({ id: "a host", destination }, { signal: AbortSignal.timeout(30_000), config: host.config });

describe.skipIf(noSshd())("a host by SSH", () => {
  let host: SshHost;
  beforeAll(async () => {
    host = await startSshHost({ homeName: "a home" });
  });
  afterAll(async () => host[Symbol.asyncDispose]());

  it("is found by an alias that only the ssh config knows", async () => {
    await using connection = await connect(host);
    expect(connection.home).toBe(host.home);
  });

  it("runs a script with its arguments, stdin and exit code", async () => {
    await using connection = await connect(host);
    const args = ["a b", "it's", "", "two\nlines", "$HOME!\\"];
    const ran = await connection.run(`printf '%s|' "$@"; cat; echo no >&2; exit 7`, { args, input: "in" });
    expect(ran).toEqual({ code: 7, stdout: `${args.join("|")}|in`, stderr: "no\n" });
  });
});
