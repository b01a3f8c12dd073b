// Host files: what a line says, and each mistake with its line, its column and what to do.
import { describe, expect, test } from "vitest";

import { formatMistake } from "#jobs/file/mistake.ts";
import { type Host, parseHosts } from "#jobs/placement/hosts.ts";

/** Fails with the mistakes, if there are any. */
function hostsOf(text: string): readonly Host[] {
  const { hosts, mistakes } = parseHosts(text, "hosts");
  expect(mistakes.map(formatMistake)).toEqual([]);
  return hosts.hosts;
}

/** `line:column: message | hint` of each mistake. */
function mistakesOf(text: string): string[] {
  return parseHosts(text, "hosts").mistakes.map(
    ({ line, column, message, hint }) => `${line}:${column}: ${message} | ${hint}`,
  );
}

const BARE = { kind: "ssh", expose: "https", slots: 1, group: undefined };

describe("a line", () => {
  test.each<[string, Partial<Host>]>([
    ["h1", { destination: "h1" }],
    ["me@h1", { destination: "me@h1" }],
    ["ssh://me@h1:2222", { destination: "me@h1", port: 2222 }],
    [
      "h1 slots=4 address=10.0.0.5 expose=tunnel",
      { destination: "h1", slots: 4, address: "10.0.0.5", expose: "tunnel" },
    ],
    ["[2001:db8::1]", { destination: "2001:db8::1" }],
    ["ssh://me@[2001:db8::1]:2222", { destination: "me@2001:db8::1", port: 2222 }],
    ["[fe80::1%eth0]", { destination: "fe80::1%eth0" }],
    ["h1 address=[2001:db8::1]", { destination: "h1", address: "2001:db8::1" }],
    ["h1 address=2001:db8::1", { destination: "h1", address: "2001:db8::1" }],
    ["h1 slots=10000", { destination: "h1", slots: 10_000 }],
  ])("%s", (line, host) => {
    expect(hostsOf(line)).toEqual([{ ...BARE, ...host }]);
  });

  test.each(["local", "localhost"])(
    "%s is this machine, which has an address only where the line gives one",
    (name) => {
      expect(hostsOf(name)).toEqual([{ ...BARE, kind: "local" }]);
      expect(hostsOf(`${name} address=10.0.0.1`)).toEqual([{ ...BARE, kind: "local", address: "10.0.0.1" }]);
    },
  );
});

describe("a file", () => {
  test("may have comments, empty lines, tabs, the line ends of Windows and a byte order mark", () => {
    const text = "\uFEFF# all of them\r\n\r\n\th1\tslots=2\t# the first\r\nh2#no space\r\n";
    expect(hostsOf(text)).toMatchObject([{ destination: "h1", slots: 2 }, { destination: "h2" }]);
  });
  test("needs no newline at its end", () => {
    expect(hostsOf("h1\nh2")).toHaveLength(2);
  });
  test("puts hosts into the group above them, and a host into several", () => {
    const text = "h0\n[workers]\nh1 slots=2\nh2\n[db]\nh1 slots=3\n";
    expect(hostsOf(text).map(({ destination, group, slots }) => [destination, group, slots])).toEqual([
      ["h0", undefined, 1],
      ["h1", "workers", 2],
      ["h2", "workers", 1],
      ["h1", "db", 3],
    ]);
  });
  test("keeps the hosts of the lines without mistakes", () => {
    expect(parseHosts("h1\n-x\nh2\n", "hosts").hosts.hosts.map(({ destination }) => destination)).toEqual(["h1", "h2"]);
  });
  test("is read in time that grows with its length", () => {
    const start = performance.now();
    const long = "a".repeat(1_000_000);
    for (const text of [
      long,
      `[${long}]`,
      `h1 ${long}=1`,
      `h1 expose=${long}`,
      `h1 address=${long}`,
      `h1 ${"x ".repeat(500_000)}`,
      "h\n".repeat(100_000),
      "[g]\n".repeat(100_000),
    ]) {
      const { mistakes } = parseHosts(text, "hosts");
      expect(mistakes.length).toBeGreaterThan(0);
      expect(formatMistake(mistakes[0] ?? { file: "", line: 0, column: 0, message: "", hint: "" }).length).toBeLessThan(
        400,
      );
    }
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

const IPV6 = "Such as [2001:db8::1].";
const WRITE = "Write ssh://user@host or ssh://user@host:port.";
const ALIAS = "Write another address into ~/.ssh/config (HostName), and the alias here.";
const HOST_RULE = "a host's name is letters, digits and . _ -, and begins with no -";
const USER_RULE = "a user's name here is letters, digits and . _ - +, and begins with no -";
const USER_ALIAS = "Write such a user into ~/.ssh/config (User), and the alias here.";
const PASSWORD = "an address of ssh holds no password | Remove it. ssh logs in with your keys, as ~/.ssh/config says.";
const SSH_PORT = "Such as ssh://host:2222.";
const ADDRESS = "Write a name or an IP by which other machines reach it, such as 10.0.0.5.";
const SLOTS = "slots is a number from 1 to 10000 | A host without agents has no line.";

describe("a mistake is shown where it is, with what to do", () => {
  test.each<[string, string]>([
    ["", "1:1: the file names no host | Write one host a line: host slots=2"],
    ["# nothing\n\n", "1:1: the file names no host | Write one host a line: host slots=2"],
    ["h1 slots=0", `1:10: ${SLOTS}`],
    ["h1 slots=-1", `1:10: ${SLOTS}`],
    ["h1 slots=10001", `1:10: ${SLOTS}`],
    ["h1 slots=2.5", `1:10: ${SLOTS}`],
    ["h1 slots=", `1:10: ${SLOTS}`],
    ["h1 slots=٣", `1:10: ${SLOTS}`],
    ["h1 slot=2", '1:4: unknown setting "slot" | Did you mean "slots"?'],
    ["h1 user=me", '1:4: unknown setting "user" | There is: slots, address, expose.'],
    ["h1 __proto__=1", '1:4: unknown setting "__proto__" | There is: slots, address, expose.'],
    ["h1 =2", '1:4: unknown setting "" | There is: slots, address, expose.'],
    [
      "h1 slots = 2",
      '1:4: "slots" is no setting | A line is: host slots=N address=… expose=…, without spaces around =.',
    ],
    ["h1 h2", '1:4: "h2" is no setting | A line is: host slots=N address=… expose=…, without spaces around =.'],
    ["h1 slots=1 slots=2", "1:12: slots is given twice | Remove one of them."],
    ["h1 expose=http", '1:11: expose cannot be "http" | Did you mean "https"?'],
    ["h1 expose=tunel", '1:11: expose cannot be "tunel" | Did you mean "tunnel"?'],
    ["h1 expose=", '1:11: expose cannot be "" | There is: https, tunnel.'],
    ["\th1\tslots=0", `1:11: ${SLOTS}`],
    ["\uFEFFh1 slots=0", `1:10: ${SLOTS}`],
    ["h1\r\nh2 slots=0\r\n", `2:10: ${SLOTS}`],

    ["h1 address=", `1:12: the host is missing | ${ADDRESS}`],
    ["h1 address=me@h2", `1:14: ${HOST_RULE} | ${ADDRESS}`],
    ["h1 address=h2:443", `1:14: a port goes with ssh:// alone | ${ADDRESS}`],
    ["h1 address=-x", `1:12: ${HOST_RULE} | ${ADDRESS}`],
    ["h1 address=https://h2", `1:17: a port goes with ssh:// alone | ${ADDRESS}`],
    ["h1 address=[2001:db8::1", `1:12: the ] of the IPv6 address is missing | ${ADDRESS}`],
    ["h1 address=[2001:db8::1]:443", `1:25: a port goes with ssh:// alone | ${ADDRESS}`],
    ["h1 address=fe80::1%eth0", `1:19: an address with an interface is of this machine alone | ${ADDRESS}`],
    ["h1 address=[fe80::1%eth0]", `1:20: an address with an interface is of this machine alone | ${ADDRESS}`],

    ["h1:2222", `1:3: a port goes with ssh:// alone | ${SSH_PORT}`],
    ["ssh://h1:0", `1:10: a port is a number from 1 to 65535 | ${SSH_PORT}`],
    ["ssh://h1:65536", `1:10: a port is a number from 1 to 65535 | ${SSH_PORT}`],
    ["ssh://h1:", `1:10: a port is a number from 1 to 65535 | ${SSH_PORT}`],
    ["ssh://h1:22x", `1:10: a port is a number from 1 to 65535 | ${SSH_PORT}`],
    ["ssh://", `1:7: the host is missing | ${WRITE}`],
    ["ssh://h1/home", "1:9: an ssh address ends with the host or its port | Remove the rest, from / on."],
    ["http://h1", `1:1: this is not the address of a host | ${WRITE}`],
    ["@h1", `1:1: the user before @ is missing | ${WRITE}`],
    ["me@", `1:4: the host is missing | ${WRITE}`],
    ["me:secret@h1", `1:1: ${PASSWORD}`],
    ["ssh://me:secret@h1", `1:7: ${PASSWORD}`],

    ["2001:db8::1", `1:1: an IPv6 address stands in brackets | ${IPV6}`],
    ["[2001:db8::1", `1:1: the ] of the IPv6 address is missing | ${IPV6}`],
    ["[2001:db8::x]", `1:2: this is no IPv6 address | ${IPV6}`],
    ["[2001:db8::1]x", `1:14: nothing but a port may follow the ] | ${WRITE}`],
    ["[2001:db8::1]:22", `1:14: a port goes with ssh:// alone | ${SSH_PORT}`],
    ["[fe80::1%]", `1:2: this is no IPv6 address | ${IPV6}`],
    ["[fe80::1%$(id)]", `1:2: this is no IPv6 address | ${IPV6}`],

    ["[workers", "1:1: the ] of the group is missing | Such as [workers]."],
    ["[ workers ]\nh1", "1:1: the ] of the group is missing | Such as [workers]."],
    ["[workers] slots=2\nh1", "1:11: nothing may follow a group | Write its hosts below it, one a line."],
    ["[workers]x\nh1", "1:10: nothing may follow a group | Write its hosts below it, one a line."],
    ["[]\nh1", "1:1: this is no name of a group | A group's name is letters, digits, _ and -, at most 63."],
    ["[a.b]\nh1", "1:1: this is no name of a group | A group's name is letters, digits, _ and -, at most 63."],
    ["[-a]\nh1", "1:1: this is no name of a group | A group's name is letters, digits, _ and -, at most 63."],
    ["[cloudflare]\nh1", "1:1: a group cannot be called cloudflare | Choose another name."],
    ["[a]\n[b]\nh1", "1:1: the group a has no hosts | Write its hosts below it, one a line, or remove it."],
    ["[a]\nh1\n[a]\nh2", "3:1: the group a begins in line 1 already | Write all its hosts there."],

    ["h1\nh2\nh1", "3:1: this host is in line 1 already | Remove one of the lines; slots=N deals it more agents."],
    [
      "[a]\nh1\nh1 slots=2",
      "3:1: this host is in line 2 already in the group a | Remove one of the lines; slots=N deals it more agents.",
    ],
    [
      "local\nlocalhost",
      "2:1: this host is in line 1 already | Remove one of the lines; slots=N deals it more agents.",
    ],
    [
      "[a]\nh1 expose=tunnel\n[b]\nh1",
      "4:1: line 2 says something else of this host | A host has one address and one expose: write them at each of its lines.",
    ],
  ])("%j", (text, mistake) => {
    expect(mistakesOf(text)).toEqual([mistake]);
  });

  test("all mistakes of a file come in the order of their lines", () => {
    expect(mistakesOf("[a]\n[b\n-x\nh1 slots=0").map((mistake) => mistake.split(" ")[0])).toEqual([
      "1:1:",
      "2:1:",
      "3:1:",
      "4:10:",
    ]);
  });
});

describe("no host is what ssh or a shell would take for something else", () => {
  test.each<[string, number, string]>([
    ["-oProxyCommand=x", 1, HOST_RULE],
    ["ssh://-oProxyCommand=x", 7, HOST_RULE],
    ["me@-oProxyCommand=x", 4, HOST_RULE],
    ["-l@h1", 1, USER_RULE],
    ["$(id)@h1", 1, USER_RULE],
    ["h1;id", 3, HOST_RULE],
    ["h1`id`", 3, HOST_RULE],
    ["'h1'", 1, HOST_RULE],
    ['"h1"', 1, HOST_RULE],
    ["h1\u0000", 3, HOST_RULE],
    ["h1\u001b[2J", 3, HOST_RULE],
    ["h1\u00a0slots=2", 3, HOST_RULE],
    ["h\u202e1", 2, HOST_RULE],
    ["hоst", 2, HOST_RULE],
    ["%h", 1, HOST_RULE],
    ["a,b", 2, HOST_RULE],
  ])("%j", (line, column, message) => {
    const hint = message === USER_RULE ? USER_ALIAS : ALIAS;
    expect(mistakesOf(line)).toEqual([`1:${column}: ${message} | ${hint}`]);
  });

  test("a message shows no control characters, and no password", () => {
    const said = mistakesOf("h1 a\u001b[2Jb\nh2 \u0007=1\nh3 expose=\u009b1m\nssh://me:secret@h4");
    expect(said).toHaveLength(4);
    expect(said.join("\n")).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|secret/);
  });
});
