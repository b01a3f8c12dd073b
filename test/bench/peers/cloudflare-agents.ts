// The peer: an agent made with cloudflare/agents, served by the same workerd. The last part of a request's path names the object, so
// the caller decides whether all share one, each session has one, or each request gets a new one.
import { build, type Plugin } from "esbuild";
import { serveBare } from "../bare-workerd.ts";
import { WORKER_FORMAT } from "../../../scripts/project/worker-format.ts";
import { installPeers } from "./install.ts";

/** The turn: the question is kept, the model is asked, the answer is kept. workerd holds back each of the last two until the disk has it. */
const WORKER = `
import { Agent, getAgentByName } from "agents";

export class Answerer extends Agent {
  onStart() {
    this.sql\`CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, role TEXT NOT NULL, text TEXT NOT NULL)\`;
  }

  async onRequest(request) {
    const { message } = await request.json();
    const question = message.parts[0].text;
    this.sql\`INSERT INTO messages (role, text) VALUES ('user', \${question})\`;
    const answer = await this.ask(question);
    this.sql\`INSERT INTO messages (role, text) VALUES ('assistant', \${answer})\`;
    return Response.json({ text: answer });
  }

  async ask(question) {
    const response = await fetch(\`\${this.env.MODEL_URL}/v1/messages\`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": "offline", "anthropic-version": "2026-10-21" },
      body: JSON.stringify({ model: "offline", max_tokens: 4096, messages: [{ role: "user", content: question }] }),
    });
    if (!response.ok) throw new Error(\`The model answered \${response.status}.\`);
    const { content } = await response.json();
    return content[0].text;
  }
}

export default {
  async fetch(request, env) {
    const name = new URL(request.url).pathname.split("/").pop();
    const agent = await getAgentByName(env.OBJECTS, name);
    return agent.fetch(request);
  },
};`;

/** What the library loads and a bare workerd lacks: Node's `path` for `require`, and e-mail, which no turn uses. */
const MISSING: Readonly<Record<string, string>> = {
  path: 'export * from "node:path";',
  "cloudflare:email": "export class EmailMessage {}",
};
const missing: Plugin = {
  name: "missing",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(path|cloudflare:email)$/ }, ({ path }) => ({ path, namespace: "missing" }));
    onLoad({ filter: /.*/, namespace: "missing" }, ({ path }) => ({ contents: MISSING[path] ?? "" }));
  },
};

const [modelUrl = ""] = process.argv.slice(2);
const { outputFiles } = await build({
  stdin: { contents: WORKER, resolveDir: await installPeers() },
  ...WORKER_FORMAT,
  plugins: [missing],
  minify: true,
  logLevel: "error",
  write: false,
});
await serveBare({
  code: outputFiles[0]?.text ?? "",
  className: "Answerer",
  bindings: { MODEL_URL: modelUrl },
  ready: '{"message":{"parts":[{"text":"ready"}]}}',
});
