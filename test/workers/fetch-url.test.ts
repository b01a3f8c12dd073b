import { expect, test } from "vitest";
import { readPage } from "#shared/tools/fetch-url.ts";

const SITE = "http://site.example";

test("a page is returned as its article with title and source, without menus and scripts", async () => {
  const text = await read(`${SITE}/article`);
  expect(text).toMatch(/^# Tides & moons\nsource: http:\/\/site\.example\/article\n\n/);
  expect(text).toContain("The moon pulls the sea, and twice a day the water rises.");
  expect(text).toContain("- Spring tide\n- Neap tide");
  expect(text).toContain("a  b\nc");
  expect(text).not.toMatch(/Home|Imprint|alert/);
});

test("a page that is no article is returned whole", async () => {
  expect(await read(`${SITE}/fragment`)).toBe(`# ${SITE}/fragment\nsource: ${SITE}/fragment\n\nJust this.`);
});

test("a page without text says so", async () => {
  expect(await read(`${SITE}/empty`)).toContain("(The page has no text.)");
});

test("a page that nests as deep as a stack is read like any other", async () => {
  expect(await read(`${SITE}/deep`)).toContain("at the bottom");
});

test("a compressed page is unpacked", async () => {
  expect(await read(`${SITE}/zipped`)).toContain("twice a day");
});

test("JSON and text are returned as they are", async () => {
  expect(await read(`${SITE}/json`)).toContain('{"a":1}');
});

test("the character encoding is taken from the header, then from the page, then is UTF-8", async () => {
  expect(await read(`${SITE}/latin1`)).toContain("Café");
  expect(await read(`${SITE}/meta`)).toMatch(/# €uro[^]*£uro/);
  expect(await read(`${SITE}/no-such-charset`)).toContain("plain");
});

test("a long page is cut, and says so", async () => {
  const text = await read(`${SITE}/long`);
  expect(text.length).toBeLessThan(20_300);
  expect(text).toMatch(/\[Cut here: these are the first 20000 of 30000 characters\.\]$/);
});

test("a redirect is followed, and the source is where it led", async () => {
  expect(await read(`${SITE}/moved`)).toContain(`source: ${SITE}/article\n`);
});

test.for([
  ["a cloud's metadata", "/to-metadata", /site\.example redirects to 169\.254\.169\.254, which is no public address/],
  ["this machine", "/to-loopback", /redirects to \[::ffff:7f00:1\], which is no public address/],
  ["a file", "/to-file", /redirects to a file: address/],
  ["an address with a password", "/to-password", /user name or password/],
  ["itself", "/round", /redirects more than 5 times/],
] as const)("a redirect to %s is not followed", async ([, path, message]) => {
  await expect(read(SITE + path)).rejects.toThrow(message);
});

test.for([
  ["http://127.0.0.1:8080/", /no public address/],
  ["http://0x7f.1/", /127\.0\.0\.1, which is no public address/],
  ["http://localhost/", /no public address/],
  ["http://metadata.google.internal/", /no public address/],
  ["ftp://site.example/", /Only http and https/],
  ["javascript:alert(1)", /Only http and https/],
  ["http://me:secret@site.example/", /user name or password/],
  ["nonsense", /no valid URL: "nonsense"/],
] as const)("%s is refused before anything is asked", async ([url, message]) => {
  const asked: string[] = [];
  const spy = async (target: string) => {
    asked.push(target);
    return new Response();
  };
  await expect(readPage(url, spy, new AbortController().signal)).rejects.toThrow(message);
  expect(asked).toEqual([]);
});

test.for([
  ["a large body of unannounced length", "/large", /larger than 2 MB/],
  ["a small body that unpacks to a large one", "/bomb", /larger than 2 MB/],
  ["a PDF", "/pdf", /is application\/pdf, which cannot be read as text/],
  ["an error", "/missing", /answered 404/],
] as const)("%s is refused with the reason", async ([, path, message]) => {
  await expect(read(SITE + path)).rejects.toThrow(message);
});

test("what the engine refuses with an internal error is explained without its words", async () => {
  const refuse = () => Promise.reject(new Error("internal error; reference = abc123"));
  const attempt = readPage("http://rebound.example/", refuse, new AbortController().signal);
  await expect(attempt).rejects.toThrow(/^rebound\.example cannot be reached, or its address is not public/);
});

test("a canceled task ends the download with its reason", async () => {
  const controller = new AbortController();
  const stop = new Error("canceled by the user");
  controller.abort(stop);
  await expect(read(`${SITE}/article`, controller.signal)).rejects.toBe(stop);
});

function read(url: string, signal = new AbortController().signal): Promise<string> {
  return readPage(url, (target, init) => fetch(target, init), signal);
}
