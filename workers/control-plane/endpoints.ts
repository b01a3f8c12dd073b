// Endpoints of one room: each is served, and described in the OpenAPI document, from one entry.
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type * as z from "zod";
import { problemResponse, wrongMethod } from "#shared/http/problem.ts";
import { checkValue, readJson } from "#shared/http/read-json.ts";
import { type JobEnv, refusedAs, requireJob } from "./auth.ts";

export type JobContext = Context<JobEnv>;

/** One method of a path. All fields but `agents` and `serve` are an OpenAPI operation. */
interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: object;
  /** Whether an agent's token will do; others are answered 403 before `serve` runs. `serve` checks for whom the agent speaks. */
  readonly agents?: true;
  /** `id` is the value of the path's parameter, "" where the path has none. */
  readonly serve: (c: JobContext, id: string) => Response | Promise<Response>;
}

const METHODS = ["get", "post", "delete"] as const;

type Operations = Partial<Record<(typeof METHODS)[number], Operation>>;

export class Endpoints {
  readonly routes = new Hono<JobEnv>();
  /** The room's part of the OpenAPI document. */
  readonly paths: Record<string, object> = {};
  readonly #root: string;

  /** `root` is the path under which the routes are mounted. `authenticate` runs before each operation. */
  constructor(root: string, authenticate: MiddlewareHandler<JobEnv> = requireJob) {
    this.#root = root;
    this.routes.use(authenticate);
  }

  /**
   * Adds a path such as "/:id", with at most one parameter, which `parameter` describes. Other methods get 405. Where
   * two paths match a request, the path that was added first serves it.
   */
  add(path: string, operations: Operations, parameter?: object): void {
    const [, name = ""] = /:(\w+)/.exec(path) ?? [];
    const item: Record<string, object> = parameter ? { parameters: [parameter] } : {};
    for (const [method, { agents, serve, ...described }] of Object.entries(operations)) {
      const allow = (c: JobContext) => (agents ? undefined : refusedAs(c, undefined));
      this.routes.on(method.toUpperCase(), path, (c) => allow(c) ?? serve(c, c.req.param(name) ?? ""));
      item[method] = described;
    }
    const allow = METHODS.filter((method) => operations[method]).map((method) => method.toUpperCase());
    this.routes.all(path, () => wrongMethod(allow.join(", ")));
    this.paths[this.#root + path.replace(/^\/$/, "").replace(/:(\w+)/, "{$1}")] = item;
  }
}

type Serve<Value> = (c: JobContext, value: Value, id: string) => Response | Promise<Response>;

/** Serves requests whose query parameters fit `schema`; others get 400. */
export function withQuery<Schema extends z.ZodType>(schema: Schema, serve: Serve<z.output<Schema>>) {
  return (c: JobContext, id: string): Response | Promise<Response> => {
    const query = checkValue(c.req.query(), schema);
    return query.ok ? serve(c, query.value, id) : problemResponse(query.problem);
  };
}

/** Serves requests with a JSON body of at most `maxBytes` that fits `schema`; others get 400, 413 or 415. */
export function withBody<Schema extends z.ZodType>(schema: Schema, maxBytes: number, serve: Serve<z.output<Schema>>) {
  return async (c: JobContext, id: string): Promise<Response> => {
    const body = await readJson(c.req.raw, schema, maxBytes);
    return body.ok ? serve(c, body.value, id) : problemResponse(body.problem);
  };
}
