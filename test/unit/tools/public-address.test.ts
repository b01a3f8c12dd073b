import { expect, test } from "vitest";
import { isPublicHost } from "#shared/tools/public-address.ts";

test.for([
  "example.com",
  "EXAMPLE.com.",
  "sub.localhost.example.com",
  "8.8.8.8",
  "1.1.1.1",
  "100.63.255.255",
  "100.128.0.0",
  "172.15.255.255",
  "172.32.0.1",
  "192.169.0.1",
  "198.20.0.1",
  "223.255.255.255",
  "[2606:4700::6810:84e5]",
  "[2001:4860:4860::8888]",
  "[2a00::1]",
])("%s is public", (host) => {
  expect(isPublicHost(new URL(`http://${host}/`).hostname)).toBe(true);
});

test.for([
  ["this network", "0.0.0.0"],
  ["this network", "0.1.2.3"],
  ["private 10/8", "10.0.0.1"],
  ["shared address space", "100.64.0.1"],
  ["shared address space", "100.127.255.255"],
  ["loopback", "127.0.0.1"],
  ["loopback", "127.255.255.254"],
  ["loopback, decimal", "2130706433"],
  ["loopback, octal", "0177.0.0.1"],
  ["loopback, hexadecimal", "0x7f000001"],
  ["loopback, short", "127.1"],
  ["zero, short", "0"],
  ["loopback in full-width digits", "１２７.0.0.1"],
  ["link-local, cloud metadata", "169.254.169.254"],
  ["metadata, decimal", "2852039166"],
  ["private 172.16/12", "172.16.0.1"],
  ["private 172.16/12", "172.31.255.255"],
  ["protocol assignments", "192.0.0.192"],
  ["documentation", "192.0.2.1"],
  ["6to4 relay", "192.88.99.1"],
  ["private 192.168/16", "192.168.1.1"],
  ["benchmarks", "198.19.0.1"],
  ["documentation", "198.51.100.7"],
  ["documentation", "203.0.113.7"],
  ["multicast", "224.0.0.1"],
  ["reserved", "240.0.0.1"],
  ["broadcast", "255.255.255.255"],
  ["unspecified", "[::]"],
  ["loopback", "[::1]"],
  ["loopback, long", "[0:0:0:0:0:0:0:1]"],
  ["v4-mapped", "[::ffff:127.0.0.1]"],
  ["v4-mapped, hexadecimal", "[::ffff:a9fe:a9fe]"],
  ["v4-compatible", "[::127.0.0.1]"],
  ["NAT64", "[64:ff9b::7f00:1]"],
  ["NAT64, local", "[64:ff9b:1::1]"],
  ["discard", "[100::1]"],
  ["Teredo", "[2001::1]"],
  ["ORCHID", "[2001:20::1]"],
  ["documentation", "[2001:db8::1]"],
  ["documentation", "[3fff::1]"],
  ["6to4 of a private address", "[2002:7f00:1::]"],
  ["unique local", "[fc00::1]"],
  ["unique local, cloud metadata", "[fd00:ec2::254]"],
  ["link-local", "[fe80::1]"],
  ["site-local", "[fec0::1]"],
  ["multicast", "[ff02::1]"],
  ["name of this machine", "localhost"],
  ["name of this machine", "LOCALHOST."],
  ["name of this machine", "a.localhost"],
  ["name without a dot", "metadata"],
  ["metadata", "metadata.google.internal"],
  ["mDNS", "printer.local"],
  ["home network", "router.home.arpa"],
  ["home network", "nas.lan"],
])("%s is not public: %s", ([, host]) => {
  expect(isPublicHost(new URL(`http://${host}/`).hostname)).toBe(false);
});

test("what is no hostname of a parsed URL is not public", () => {
  for (const host of ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "[", "[]", "[:::]", "[1:2]", "[2001:4860::1::2]"]) {
    expect([host, isPublicHost(host)]).toEqual([host, false]);
  }
});
