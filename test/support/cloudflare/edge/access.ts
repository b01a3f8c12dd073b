// Cloudflare Access in front of Workers: whoever has not logged in is sent elsewhere, but for services with a token.
import type { IncomingHttpHeaders } from "node:http";

export interface ServiceToken {
  readonly id: string;
  readonly secret: string;
}

export const LOGIN = "https://acme.cloudflareaccess.com/cdn-cgi/access/login";

export class Access {
  readonly #hosts = new Map<string, ServiceToken>();

  protect(hostname: string, token: ServiceToken): void {
    this.#hosts.set(hostname, token);
  }

  admits(hostname: string, headers: IncomingHttpHeaders): boolean {
    const token = this.#hosts.get(hostname);
    if (token === undefined) return true;
    return headers["cf-access-client-id"] === token.id && headers["cf-access-client-secret"] === token.secret;
  }
}
