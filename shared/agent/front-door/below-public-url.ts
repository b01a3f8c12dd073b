// An agent may be behind a part of a host, such as https://example.com/agents. Its paths begin there.

/** The request as its sender means it: with the path below the public address. Any other request is returned as it is. */
export function belowPublicUrl(request: Request, publicUrl: string | undefined): Request {
  if (publicUrl === undefined) return request;
  const { host, pathname: base } = new URL(publicUrl);
  const asked = new URL(request.url);
  const isBelow = asked.pathname === base || asked.pathname.startsWith(`${base}/`);
  if (base === "/" || asked.host !== host || !isBelow) return request;
  asked.pathname = asked.pathname.slice(base.length);
  return new Request(asked, request);
}
