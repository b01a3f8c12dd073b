import { expect, test } from "vitest";
import { checkConfig, flawOf } from "#shared/agent/session/push/check-config.ts";

const CONFIG = {
  tenant: "",
  id: "",
  taskId: "t",
  url: "https://hooks.example/x",
  token: "",
  authentication: undefined,
};

test("a config gets an id where it has none, and keeps its own", () => {
  const [one, other] = [checkConfig(CONFIG, []), checkConfig(CONFIG, [])];
  expect(one.id).not.toBe("");
  expect(one.id).not.toBe(other.id);
  expect(checkConfig({ ...CONFIG, id: "mine" }, []).id).toBe("mine");
});

test.for<[string, object, string]>([
  ["no url", { url: "" }, "url is missing"],
  ["no address", { url: "hooks.example/x" }, "must be an https or http address"],
  ["a file", { url: "file:///etc/passwd" }, "must be an https or http address"],
  ["another protocol", { url: "ftp://hooks.example/" }, "must be an https or http address"],
  ["a password in the url", { url: "https://me:secret@hooks.example/" }, "must not hold a user or a password"],
  ["an endless url", { url: `https://hooks.example/${"x".repeat(2_048)}` }, "the limit is 2048"],
  ["loopback", { url: "http://127.0.0.1:9000/" }, "private address (127.0.0.1:9000)"],
  ["loopback in disguise", { url: "http://0x7f.1/" }, "private address (127.0.0.1)"],
  ["a name of this machine", { url: "http://localhost:80/" }, "private address"],
  ["the cloud's metadata", { url: "http://169.254.169.254/latest" }, "private address"],
  ["IPv6 that carries IPv4", { url: "http://[::ffff:10.0.0.1]/" }, "private address"],
  ["a header in a token", { token: "a\r\nHost: evil" }, "token holds signs that no HTTP header can carry"],
  ["a token that is no ASCII", { token: "schlüssel" }, "token holds signs"],
  ["a scheme of two words", { authentication: { scheme: "Bearer x", credentials: "y" } }, "authentication.scheme"],
  ["credentials without scheme", { authentication: { scheme: "", credentials: "y" } }, "authentication.scheme"],
  ["a header in credentials", { authentication: { scheme: "Bearer", credentials: "y\n" } }, "credentials hold signs"],
  ["an endless id", { id: "x".repeat(201) }, "the limit is 200"],
  ["a control character in an id", { id: "a\u0000b" }, "control characters"],
  ["half a character in an id", { id: "\ud800" }, "half a surrogate pair"],
])("%s is refused, and the error says why", ([, change, why]) => {
  expect(() => checkConfig({ ...CONFIG, ...change }, [])).toThrow(why);
});

test("an allowed origin may be private, whatever the path; another port of the same host may not", () => {
  const allowed = ["http://127.0.0.1:9000"];
  expect(flawOf("http://127.0.0.1:9000/a?b=c", allowed)).toBeUndefined();
  expect(flawOf("http://127.0.0.1:9001/", allowed)).toContain("private address");
  expect(flawOf("https://127.0.0.1:9000/", allowed)).toContain("private address");
});
