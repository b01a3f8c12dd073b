// Tails: opened and closed by the API, heard over their sockets (tails.ts).
import { nameOf, route } from "./route.ts";

const HOUR_MS = 3_600_000;
const TAILS = "/accounts/:account/workers/scripts/:name/tails";

export const TAIL_ROUTES = [
  route("GET /accounts/:account/workers/tails/by-consumer/:name", () => []),
  route(`POST ${TAILS}`, (call) => {
    const id = call.tails.open(call.account.worker(nameOf(call)).name);
    return {
      id,
      url: `${call.origin.replace("http", "ws")}/tails/${id}`,
      expires_at: new Date(Date.now() + HOUR_MS).toISOString(),
    };
  }),
  route(`GET ${TAILS}`, () => []),
  route(`DELETE ${TAILS}/:tail`, ({ tails, params }) => {
    tails.close(params["tail"] ?? "");
    return null;
  }),
];
