// Ports on this machine: finding free ones, and telling whether one is taken.
import { createServer } from "node:net";

const HOST = "127.0.0.1";

/** `count` different ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  // All are held until the last is found, so that no two are the same.
  const servers = await Promise.all(Array.from({ length: count }, async () => listen(0)));
  return Promise.all(servers.map(async (server) => server.close()));
}

/** Whether something listens on this port, or the system forbids it. */
export async function isTaken(port: number): Promise<boolean> {
  try {
    await (await listen(port)).close();
    return false;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "EADDRINUSE" || error.code === "EACCES"))
      return true;
    throw error;
  }
}

interface Listener {
  /** Resolves to the port that was held. */
  close(): Promise<number>;
}

async function listen(port: number): Promise<Listener> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: HOST, exclusive: true }, resolve);
  });
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return {
    close: async () =>
      new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve(bound)))),
  };
}
