// What the ssh program connects to, from `ssh://user@host:port`, `user@host`, `host` or `[IPv6]`.

export interface Destination {
  /** `user@host` or `host`; IPv6 without brackets. Never begins with -, which ssh would take for a flag. */
  readonly destination: string;
  readonly port?: number;
  /** The host part of the destination. */
  readonly host: string;
}

/** What is wrong with a text. It never repeats a password. */
export interface Malformed {
  /** Of the first wrong character, counted from 0. */
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

const SCHEME = "ssh://";
const LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HOST_CHARACTERS = new Set(`${LETTERS_AND_DIGITS}._-`);
const USER_CHARACTERS = new Set(`${LETTERS_AND_DIGITS}._-+`);
const LONGEST_NAME = 253;
const WRITE = "Write ssh://user@host or ssh://user@host:port.";
const ADDRESS = "Write a name or an IP by which other machines reach it, such as 10.0.0.5.";

/** Whether a text means an ssh address, right or wrong. */
export function isSshUrl(text: string): boolean {
  return text.slice(0, SCHEME.length).toLowerCase() === SCHEME;
}

export function isMalformed(value: object): value is Malformed {
  return "offset" in value;
}

/** The host part of a destination. */
export function hostOf(destination: string): string {
  return destination.slice(destination.lastIndexOf("@") + 1);
}

/** A port goes with ssh:// only. */
export function parseDestination(text: string): Destination | Malformed {
  const start = isSshUrl(text) ? SCHEME.length : 0;
  const slash = text.indexOf("/", start);
  if (slash !== -1) {
    if (start === 0) return malformed(0, "this is not the address of a host", WRITE);
    return malformed(slash, "an ssh address ends with the host or its port", "Remove the rest, from / on.");
  }
  const at = text.lastIndexOf("@");
  const user = at < start ? undefined : text.slice(start, at);
  const wrongUser = user === undefined ? undefined : checkUser(user, start);
  if (wrongUser !== undefined) return wrongUser;
  const host = parseHost(text, user === undefined ? start : at + 1, start > 0);
  if ("offset" in host) return host;
  return { ...host, destination: user === undefined ? host.host : `${user}@${host.host}` };
}

/** A name or an IP without user and port, such as `host.example`, `10.0.0.1` or `[2001:db8::1]`; IPv6 without brackets too. */
export function parseAddress(text: string): { readonly address: string } | Malformed {
  const parsed = isIpv6(text) ? { host: text } : parseHost(text, 0, false);
  if ("offset" in parsed) return { ...parsed, hint: ADDRESS };
  const { host } = parsed;
  if (!isOfThisMachine(host)) return { address: host };
  return malformed(text.indexOf("%"), "an address with an interface is of this machine alone", ADDRESS);
}

/** Whether other machines may know a host by this name: an interface of this machine (`%eth0`) means nothing to them. */
export function isOfThisMachine(host: string): boolean {
  return host.includes("%");
}

function checkUser(user: string, start: number): Malformed | undefined {
  if (user.includes(":")) {
    const hint = "Remove it. ssh logs in with your keys, as ~/.ssh/config says.";
    return malformed(start, "an address of ssh holds no password", hint);
  }
  if (user === "") return malformed(start, "the user before @ is missing", WRITE);
  const wrong = user.startsWith("-") ? 0 : firstOutside(user, USER_CHARACTERS);
  if (wrong === undefined) return undefined;
  const hint = "Write such a user into ~/.ssh/config (User), and the alias here.";
  return malformed(start + wrong, "a user's name here is letters, digits and . _ - +, and begins with no -", hint);
}

/** The host, and the port behind it, in `text` from `start` on. */
function parseHost(text: string, start: number, mayHavePort: boolean): Omit<Destination, "destination"> | Malformed {
  const part = text.slice(start);
  if (part.startsWith("[")) {
    const end = part.indexOf("]");
    if (end === -1) return malformed(start, "the ] of the IPv6 address is missing", "Such as [2001:db8::1].");
    const host = part.slice(1, end);
    if (!isIpv6(host)) return malformed(start + 1, "this is no IPv6 address", "Such as [2001:db8::1].");
    if (end === part.length - 1) return { host };
    const port = part[end + 1] === ":" ? parsePort(part.slice(end + 2), start + end + 2, mayHavePort) : undefined;
    if (port === undefined) return malformed(start + end + 1, "nothing but a port may follow the ]", WRITE);
    return typeof port === "number" ? { host, port } : port;
  }
  const colon = part.indexOf(":");
  if (colon !== part.lastIndexOf(":")) {
    return malformed(start, "an IPv6 address stands in brackets", "Such as [2001:db8::1].");
  }
  const host = colon === -1 ? part : part.slice(0, colon);
  if (host === "") return malformed(start, "the host is missing", WRITE);
  const wrong = host.startsWith("-") ? 0 : firstOutside(host, HOST_CHARACTERS);
  if (wrong !== undefined) {
    const hint = "Write another address into ~/.ssh/config (HostName), and the alias here.";
    return malformed(start + wrong, "a host's name is letters, digits and . _ -, and begins with no -", hint);
  }
  if (host.length > LONGEST_NAME) return malformed(start, `a host's name has at most ${LONGEST_NAME} letters`, WRITE);
  if (colon === -1) return { host };
  const port = parsePort(part.slice(colon + 1), start + colon + 1, mayHavePort);
  return typeof port === "number" ? { host, port } : port;
}

function parsePort(digits: string, offset: number, mayHavePort: boolean): number | Malformed {
  if (!mayHavePort) return malformed(offset - 1, "a port goes with ssh:// alone", "Such as ssh://host:2222.");
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port >= 1 && port <= 65535) return port;
  return malformed(offset, "a port is a number from 1 to 65535", "Such as ssh://host:2222.");
}

/** With a zone (`%eth0`) or without. */
function isIpv6(text: string): boolean {
  const percent = text.indexOf("%");
  const address = percent === -1 ? text : text.slice(0, percent);
  const zone = percent === -1 ? "0" : text.slice(percent + 1);
  if (zone === "" || firstOutside(zone, HOST_CHARACTERS) !== undefined) return false;
  return /^[0-9A-Fa-f:.]{2,45}$/.test(address) && address.includes(":") && URL.canParse(`http://[${address}]`);
}

function firstOutside(text: string, allowed: ReadonlySet<string>): number | undefined {
  for (let index = 0; index < text.length; index++) if (!allowed.has(text.charAt(index))) return index;
  return undefined;
}

function malformed(offset: number, message: string, hint: string): Malformed {
  return { offset, message, hint };
}
