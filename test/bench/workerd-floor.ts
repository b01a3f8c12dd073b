// The floor of durability: a bare workerd that, for each request, creates a SQLite object and writes one row.
import { serveBare } from "./bare-workerd.ts";

const WORKER = `
import { DurableObject } from "cloudflare:workers";
export class Row extends DurableObject {
  write(text) {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS row (text TEXT)");
    this.ctx.storage.sql.exec("INSERT INTO row VALUES (?)", text);
    return this.ctx.storage.sql.exec("SELECT COUNT(*) AS n FROM row").one().n;
  }
}
export default {
  async fetch(request, env) {
    const { message } = await request.json();
    return Response.json({ n: await env.OBJECTS.getByName(message.messageId).write("row") });
  },
};`;

await serveBare({ code: WORKER, className: "Row", bindings: {}, ready: '{"message":{"messageId":"ready"}}' });
