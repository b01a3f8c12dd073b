// Read by Node before wrangler: ends wrangler's process group when the command that started it is gone, however it ended.
process.stdin.on("close", () => process.kill(-process.pid, "SIGKILL")).resume();
// wrangler ends when its own work is done.
if ("unref" in process.stdin && typeof process.stdin.unref === "function") process.stdin.unref();
