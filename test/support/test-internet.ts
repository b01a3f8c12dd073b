// The public network of the tests in workerd: every global fetch of theirs ends here and none leaves the machine.
// It answers under `site.example`, and takes push notifications under `hooks.example`; other hosts do not exist.
import { Response, type Request } from "miniflare";
import { pushReceivers } from "./push-receivers.ts";

const ARTICLE = `<!doctype html><html><head><title>Tides &amp; moons</title></head><body>
<nav><a href="/">Home</a> <a href="/about">About</a></nav>
<article><h1>Tides</h1>${"<p>The moon pulls the sea, and <b>twice a day</b> the water rises. Sailors plan by it.</p>".repeat(8)}
<ul><li>Spring tide</li><li>Neap tide</li></ul><pre>a  b
c</pre><script>alert("tides")</script></article><footer>Imprint</footer></body></html>`;

const PAGES: Record<string, (request: Request) => Response> = {
  "/article": () => page(ARTICLE),
  // Miniflare compresses what says that it is compressed.
  "/zipped": () => new Response(ARTICLE, { headers: { "content-type": "text/html", "content-encoding": "gzip" } }),
  "/bomb": () =>
    new Response("x".repeat(50_000_000), { headers: { "content-type": "text/plain", "content-encoding": "gzip" } }),
  "/fragment": () => page("<p>Just <i>this</i>.</p>"),
  "/empty": () => page(""),
  "/deep": () => page(`${"<div>".repeat(20_000)}at the bottom`),
  "/latin1": () =>
    new Response(Buffer.from("Caf\xe9", "latin1"), { headers: { "content-type": "text/plain; charset=ISO-8859-1" } }),
  "/meta": () => page(Buffer.from('<meta charset="windows-1252"><title>\x80uro</title><p>\xa3uro</p>', "latin1")),
  "/no-such-charset": () => new Response("plain", { headers: { "content-type": "text/plain; charset=klingon" } }),
  "/json": () => Response.json({ a: 1 }),
  "/long": () => new Response("x".repeat(30_000), { headers: { "content-type": "text/plain" } }),
  "/pdf": () => new Response("%PDF", { headers: { "content-type": "application/pdf" } }),
  "/large": () => new Response(large(), { headers: { "content-type": "text/plain" } }),
  "/missing": () => new Response("no", { status: 404, statusText: "Not Found" }),
  "/broken": () => Response.error(),
  "/moved": () => redirect("/article#part"),
  "/to-metadata": () => redirect("http://169.254.169.254/latest/meta-data"),
  "/to-loopback": () => redirect("http://[::ffff:127.0.0.1]/"),
  "/to-file": () => redirect("file:///etc/passwd"),
  "/to-password": () => redirect("http://a:b@site.example/article"),
  "/round": () => redirect("/round"),
  "/searxng/search": ({ url }) =>
    Response.json({
      results:
        new URL(url).searchParams.get("q") === "tides"
          ? [
              { title: "Tides", url: "http://site.example/article", content: "The moon pulls." },
              { title: "No text", url: "http://site.example/x" },
            ]
          : [],
    }),
  "/not-searxng/search": () => page("<html>"),
};

export function testInternet(request: Request): Response | Promise<Response> {
  const { hostname, pathname } = new URL(request.url);
  if (hostname === "hooks.example") return pushReceivers(request);
  if (hostname === "api.search.brave.com") return brave(request);
  const answer = hostname === "site.example" ? PAGES[pathname] : undefined;
  return answer?.(request) ?? new Response(`${hostname} does not exist in tests`, { status: 502 });
}

function brave(request: Request): Response {
  if (request.headers.get("x-subscription-token") !== "right-key") return new Response("{}", { status: 401 });
  const description = "The <strong>moon</strong> pulls &amp; pushes.";
  return Response.json({ web: { results: [{ title: "Tides", url: "http://site.example/article", description }] } });
}

function page(html: string | Buffer): Response {
  return new Response(html, { headers: { "content-type": "text/html" } });
}

function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location } });
}

/** 4 MB whose length is not announced. */
function large(): ReadableStream<Uint8Array> {
  let chunks = 64;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(64 * 1024).fill(120));
      chunks -= 1;
      if (chunks === 0) controller.close();
    },
  });
}
