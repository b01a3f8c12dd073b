// Who asks: tokens, users and accounts.
import { type ApiCall, Listed, route } from "./route.ts";

const accounts = ({ token }: ApiCall) =>
  token.accounts.map((id) => ({ id, name: `Account ${id.slice(0, 8)}`, type: "standard" }));

export const USER_ROUTES = [
  route("GET /user/tokens/verify", ({ token }) => ({ id: token.id, status: "active" })),
  route("GET /user", () => ({ id: "0123456789abcdef0123456789abcdef", email: "tester@example.com" })),
  route("GET /accounts", (call) => new Listed(accounts(call))),
  route("GET /accounts/:account", (call) => accounts(call).find(({ id }) => id === call.params["account"])),
  route(
    "GET /memberships",
    (call) => new Listed(accounts(call).map((account) => ({ id: account.id, status: "accepted", account }))),
  ),
];
