// A Worker's module that counts what Cloudflare bills, around the Worker's own: invocations, requests of objects, rows and the time in
// which objects are at work. Runs in workerd, which counts rows as Cloudflare does.
import * as z from "zod";

/** The path at which a counted Worker tells its counts. */
export const COUNTS_PATH = "/counts";

export const Counts = z.object({
  /** Requests of the Worker itself, by bindings and from outside. */
  invocations: z.number(),
  /** Methods of objects that were called from outside, and alarms. */
  objectRequests: z.number(),
  /** Of objectRequests. */
  alarms: z.number(),
  rowsRead: z.number(),
  /** With alarms that were set. */
  rowsWritten: z.number(),
  /** Sum over all objects of the time with work under way, in milliseconds. */
  activeMs: z.number(),
  /** Bytes of all databases. */
  stored: z.number(),
});
export type Counts = z.infer<typeof Counts>;

/** The main module; the Worker's own is beside it, as `./index.js`. `classes`: of its objects. */
export function countingModule(classes: readonly string[]): string {
  const exported = classes.map((name) => `export const ${name} = counted(inner.${name});`).join("\n");
  return `import worker, * as inner from "./index.js";
${COUNTING}
${exported}
export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "${COUNTS_PATH}") return Response.json(told());
    counts.invocations++;
    return worker.fetch(request, env, ctx);
  },
};
`;
}

const COUNTING = `const counts = { invocations: 0, objectRequests: 0, alarms: 0, rowsRead: 0, rowsWritten: 0 };
const objects = new Map();
const objectOf = new WeakMap();
let isPatched = false;
// A method of an object that calls another one of its own makes no request.
let inside = 0;

function told() {
  let [activeMs, stored] = [0, 0];
  for (const object of objects.values()) {
    activeMs += object.ms + (object.open > 0 ? Date.now() - object.since : 0);
    stored += object.stored;
  }
  return { ...counts, activeMs, stored };
}

// Only an object's own requests may read its cursors.
function take(object) {
  for (const cursor of object.cursors.splice(0)) {
    counts.rowsRead += cursor.rowsRead;
    counts.rowsWritten += cursor.rowsWritten;
  }
  object.stored = object.sql.databaseSize;
}

function patch(ctx) {
  if (isPatched) return;
  isPatched = true;
  const around = (target, name, does) => {
    const prototype = Object.getPrototypeOf(target);
    const own = prototype[name];
    prototype[name] = function (...args) {
      return does(this, () => own.apply(this, args), args);
    };
  };
  around(ctx.storage.sql, "exec", (sql, run) => {
    const cursor = run();
    objectOf.get(sql).cursors.push(cursor);
    return cursor;
  });
  for (const name of ["setAlarm", "deleteAlarm"])
    around(ctx.storage, name, (_, run) => {
      counts.rowsWritten++;
      return run();
    });
  around(ctx, "waitUntil", (self, run, [work]) => {
    const object = objectOf.get(self);
    if (object) during(object, work);
    return run();
  });
}

function during(object, work) {
  if (object.open++ === 0) object.since = Date.now();
  const end = () => {
    take(object);
    if (--object.open === 0) object.ms += Date.now() - object.since;
  };
  Promise.resolve(work).then(end, end);
}

function counted(Inner) {
  const Counted = class extends Inner {
    constructor(ctx, env) {
      patch(ctx);
      const { sql } = ctx.storage;
      const object = { ms: 0, open: 0, since: 0, sql, cursors: [], stored: 0 };
      objects.set(ctx.id.toString(), object);
      objectOf.set(sql, object).set(ctx, object);
      super(ctx, env);
      objectOf.set(this, object);
    }
  };
  for (let from = Inner.prototype; from && from.constructor.name !== "DurableObject"; from = Object.getPrototypeOf(from))
    for (const name of Object.getOwnPropertyNames(from)) {
      const own = Object.getOwnPropertyDescriptor(from, name).value;
      if (name === "constructor" || typeof own !== "function" || Object.hasOwn(Counted.prototype, name)) continue;
      Counted.prototype[name] = function (...args) {
        if (inside > 0) return own.apply(this, args);
        counts.objectRequests++;
        if (name === "alarm") counts.alarms++;
        inside++;
        try {
          const result = own.apply(this, args);
          during(objectOf.get(this), result);
          return result;
        } finally {
          inside--;
        }
      };
    }
  return Counted;
}`;
