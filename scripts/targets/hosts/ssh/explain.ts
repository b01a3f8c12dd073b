// What ssh wrote on stderr, as a sentence and what to do about it.
import { CliError } from "../../../terminal/cli-error.ts";
import { byHand, type Destination } from "./destination.ts";

interface Meaning {
  /** What ssh writes. */
  readonly written: RegExp;
  readonly words: (to: Destination, found: RegExpExecArray, stderr: string) => readonly [message: string, next: string];
}

const password = /password|keyboard-interactive/;

/** The first that fits counts. */
const MEANINGS: readonly Meaning[] = [
  {
    written: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed and you have requested strict/i,
    words: (to, _found, stderr) => {
      const fingerprint = /SHA256:[\w+/=]+/.exec(stderr)?.[0];
      const known = /Offending .*key in (.+):(\d+)/.exec(stderr);
      const where = known === null ? "known_hosts" : `${known[1]}, line ${known[2]}`;
      return [
        `The host key of ${to.id} has changed${fingerprint === undefined ? "" : ` (now ${fingerprint})`}. Somebody may be between you and the host.`,
        `Ask whoever runs the host whether it was installed anew, and compare the fingerprint. Only then remove the old key (${where}) with ssh-keygen -R, and connect once with: ${byHand(to)}`,
      ];
    },
  },
  {
    written: /host key is known for (\S+) and you have requested strict checking/,
    words: (to, found) => [
      `The host key of ${to.id} (${found[1]}) is not known here.`,
      `Connect once with: ${byHand(to)}  Compare the fingerprint that it shows with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there) before you say yes.`,
    ],
  },
  {
    written: /revoked host key|Host key verification failed/i,
    words: (to) => [
      `The host key of ${to.id}, or of a host on the way, was refused.`,
      `See what ssh says: ${byHand(to)}`,
    ],
  },
  {
    written: /Permission denied \(([\w,.@-]*)\)/,
    words: (to, found) => [
      `${to.id} takes no key that ssh offers.${password.test(found[1] ?? "") ? " It would take a password, which nobody can type here." : ""}`,
      `Put a key there (ssh-copy-id ${to.destination}). If the key has a passphrase, give it to the agent first: ssh-add`,
    ],
  },
  {
    written: /Too many authentication failures/,
    words: (to) => [
      `${to.id} refused before the right key was offered: the agent holds too many keys.`,
      "Name the key in ~/.ssh/config: IdentityFile … and IdentitiesOnly yes",
    ],
  },
  {
    written: /Could not resolve hostname (\S+?):/i,
    words: (to, found) => [
      `No host has the name ${found[1]}${found[1] === to.id ? "" : ` (${to.id})`}.`,
      "Check the spelling, ~/.ssh/config and this machine's name server.",
    ],
  },
  {
    written: /Connection refused/,
    words: (to) => [
      `${to.id} refuses the connection: nothing listens at its SSH port.`,
      "Start sshd there, or name its port: ssh://USER@HOST:PORT",
    ],
  },
  {
    written: /timed out/i,
    words: (to) => [
      `${to.id} does not answer within 10 seconds.`,
      "See whether the host is up, and whether a firewall is on the way.",
    ],
  },
  {
    written: /No route to host|Network is unreachable/,
    words: (to) => [`There is no way from here to ${to.id}.`, "See whether both machines are on the network (VPN)."],
  },
  {
    written: /Can't open user config file (.+?):/,
    words: (_to, found) => [
      `The ssh config ${found[1]} cannot be read.`,
      "Set TROUPE_SSH_CONFIG to a file, or unset it.",
    ],
  },
  {
    written:
      /(Bad configuration option[^\n]*|Bad owner or permissions on [^\n]*|terminating, \d+ bad configuration[^\n]*)/i,
    words: (_to, found) => [`ssh refuses its configuration: ${found[1]}`, "Mend that file."],
  },
  {
    written: /Connection (closed|reset)|kex_exchange_identification/,
    words: (to) => [
      `${to.id} ended the connection before it was made.`,
      "Another program may listen at this port, or sshd refuses this machine: read its log.",
    ],
  },
];

/** Why no connection was made. `stderr`: what ssh wrote. */
export function whyNotConnected(to: Destination, stderr: string): CliError {
  for (const { written, words } of MEANINGS) {
    const found = written.exec(stderr);
    if (found !== null) return new CliError("failed", ...words(to, found, stderr));
  }
  const said = lastLine(stderr);
  return new CliError(
    "failed",
    `ssh does not reach ${to.id}${said === "" ? ": its login shell ended at once, or the connection was lost" : `: ${said}`}.`,
    `See what it says: ${byHand(to)}`,
  );
}

/** A connection that was there is gone. */
export function lost(to: Destination, stderr: string): CliError {
  const said = lastLine(stderr);
  return new CliError(
    "failed",
    `The connection to ${to.id} was lost${said === "" ? "" : ` (${said})`}.`,
    "See whether the host is up, then run the command again: it goes on from there.",
  );
}

/** The end of what a program wrote, without the marks around scripts (framed.ts). */
export function lastLine(stderr: string): string {
  const lines = stderr.trim().split(/\r?\n/);
  const line = lines.findLast((each) => each.trim() !== "" && !/^troupe-[0-9a-f]{24}( \d+)?$/.test(each)) ?? "";
  return line.trim().replace(/\.$/, "");
}
