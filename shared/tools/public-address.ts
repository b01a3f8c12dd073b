// Whether a URL's host is public, by its name alone. Pure: resolves nothing. workerd refuses private addresses behind
// public names. https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry

const PRIVATE_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
].map(parseRange);

/** Ranges within 2000::/3 (nothing outside is public): protocol assignments and Teredo, documentation, 6to4. */
const PRIVATE_V6_PREFIXES = [
  [0x2001, 0x0000, 23],
  [0x2001, 0x0db8, 32],
  [0x2002, 0x0000, 16],
  [0x3fff, 0x0000, 20],
] as const;

const PRIVATE_SUFFIXES = [".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet", ".corp", ".private"];

/**
 * Whether `hostname` may be called. It must come from `new URL(…).hostname`, which normalises all forms of IPv4 to
 * dotted ones and puts IPv6 in brackets. Refuses addresses that are not globally reachable unicast, IPv6 that carries
 * an IPv4 address (mapped, NAT64, 6to4, Teredo), and names without a dot or with a private suffix.
 */
export function isPublicHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  if (host.startsWith("[")) return isPublicV6(host.slice(1, -1));
  if (/^[\d.]+$/.test(host)) return isPublicV4(host);
  return host.includes(".") && !PRIVATE_SUFFIXES.some((suffix) => host.endsWith(suffix));
}

function isPublicV4(address: string): boolean {
  const value = parseV4(address);
  return (
    value !== undefined && !PRIVATE_V4.some(({ network, bits }) => value >>> (32 - bits) === network >>> (32 - bits))
  );
}

function isPublicV6(address: string): boolean {
  const groups = parseV6(address);
  if (!groups) return false;
  const [first = 0, second = 0] = groups;
  if (first >>> 13 !== 0b001) return false;
  const top = ((first << 16) | second) >>> 0;
  return !PRIVATE_V6_PREFIXES.some(([a, b, bits]) => top >>> (32 - bits) === (((a << 16) | b) >>> 0) >>> (32 - bits));
}

function parseRange(range: string): { network: number; bits: number } {
  const [address = "", bits] = range.split("/");
  return { network: parseV4(address) ?? 0, bits: Number(bits) };
}

function parseV4(address: string): number | undefined {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part > 255)) return undefined;
  return parts.reduce((value, part) => value * 256 + part, 0);
}

/** The eight groups of an IPv6 address as URLs write it: hexadecimal groups, at most one `::`. */
function parseV6(address: string): number[] | undefined {
  const [head = "", tail, ...rest] = address.split("::");
  if (rest.length > 0) return undefined;
  const left = groupsOf(head);
  const right = groupsOf(tail ?? "");
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array.from({ length: missing }, () => 0), ...right];
  return groups.every((group) => group >= 0 && group <= 0xffff) ? groups : undefined;
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => (/^[\da-f]{1,4}$/.test(group) ? parseInt(group, 16) : -1));
}
