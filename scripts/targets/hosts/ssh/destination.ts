// Which host is meant, and which texts may not be handed to ssh.
import { CliError } from "../../../terminal/cli-error.ts";

export interface Destination {
  readonly id: string;
  /** As the ssh program takes it: an alias of the ssh config, `host` or `user@host`. */
  readonly destination: string;
  readonly port?: number;
}

/** What a shell reads in a ProxyCommand of the user, which ssh gives host and user to. */
const UNSAFE_USER = /["'`;&<>|(){}\s\p{Cc}]|\\$/u;
const UNSAFE_HOST = /["'`$\\;&<>|(){},\s\p{Cc}]/u;

/** Throws CliError for a text that ssh would take for an option, or a shell for a command. */
export function checkDestination({ destination, port }: Destination): void {
  const at = destination.lastIndexOf("@");
  const user = at === -1 ? undefined : destination.slice(0, at);
  const host = destination.slice(at + 1);
  const isWrong =
    destination.startsWith("-") ||
    host.startsWith("-") ||
    host === "" ||
    user === "" ||
    UNSAFE_HOST.test(host) ||
    UNSAFE_USER.test(user ?? "");
  if (isWrong) {
    throw new CliError(
      "bad_input",
      `${JSON.stringify(destination)} is not a host that ssh can reach.`,
      "Write it as for ssh: HOST, USER@HOST, or a name of your ~/.ssh/config.",
    );
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new CliError("bad_input", `${port} is not a port.`, "Choose one from 1 to 65535.");
  }
}

/** How the user reaches the host by hand, in messages. */
export function byHand({ destination, port }: Destination): string {
  return port === undefined ? `ssh ${destination}` : `ssh -p ${port} ${destination}`;
}
