#!/usr/bin/env node
// Starts the CLI under a Node that runs TypeScript directly (23.6 or later): this one, else the one among the dependencies.
// Signals and the exit code pass through (interruption.ts). Plain JavaScript, so that an old Node can read it.
import { spawn } from "node:child_process";
import * as modules from "node:module";
import { constants } from "node:os";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > 23 || (major === 23 && minor >= 6)) {
  // Keeps compiled modules for the next command: that saves a third of a short command's time.
  modules.enableCompileCache?.();
  await import("./cli.ts");
} else {
  const node = bundledNode();
  if (node === undefined) {
    console.error(
      `troupe needs Node 23.6 or later; this is ${process.versions.node}, and the dependencies hold none for ` +
        `${process.platform} ${process.arch}.\nRun npm install again, or install a current Node from https://nodejs.org.`,
    );
    process.exit(1);
  }
  const child = spawn(node, process.argv.slice(1), {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // The terminal sends Ctrl-C to the child too. As a message the child can tell the second copy from the first.
    process.on(signal, () => child.connected && child.send(signal, () => {}));
  }
  child.on("error", (error) => {
    console.error(`${node} cannot be started: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
}

/** The Node binary of the package for this platform, if npm has installed it. */
function bundledNode() {
  const require = modules.createRequire(import.meta.url);
  const platform = process.platform === "win32" ? "win" : process.platform;
  const binary = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  for (const name of [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]) {
    try {
      return require.resolve(`${name}/${binary}`);
    } catch {
      // Not installed under this name: try the next one.
    }
  }
  return undefined;
}
