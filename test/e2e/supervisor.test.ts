// A real workerd with a small Worker under its real supervisor: what happens when either ends, and what is kept in bounds.
import { execFile } from "node:child_process";
import { connect, type Socket } from "node:net";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";

import type { RestartPolicy } from "#jobs/schema/schema.ts";

import { renderConfig } from "../../scripts/targets/local/processes/capnp.ts";
import type { ProcessLayout } from "../../scripts/targets/local/state/layout.ts";
import { lockHolder } from "../../scripts/targets/local/state/lock.ts";
import { freePorts } from "../../scripts/targets/local/processes/ports.ts";
import { isRunning } from "../../scripts/targets/local/state/process.ts";
import {
  endedError,
  endSupervised,
  machineFolder,
  markHealthy,
  processStatus,
  startSupervised,
  supervisorOf,
} from "../../scripts/targets/local/processes/supervisor.ts";
import { eventually, signalProcess } from "../support/deployment.ts";

const WORKER = `export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/disk") return env.MACHINE.fetch("http://machine/disk.json");
    if (pathname === "/say") console.log("x".repeat(1_000_000));
    return new Response("ok");
  },
};`;
const LIMIT_MS = 20_000;
const MAX_LOG_BYTES = 10 * 1024 * 1024;

let folder: string;
let own: ProcessLayout;
let url: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-supervisor-"));
  const file = (name: string) => join(folder, name);
  own = {
    name: "small",
    config: file("config.capnp"),
    log: file("log"),
    data: file("data"),
    dataLock: file("data.lock"),
    room: file("room"),
  };
  const [port = 0] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  await mkdir(own.data);
  await writeFile(file("worker.js"), WORKER);
  const config = renderConfig({
    workers: [
      { name: "small", module: "worker.js", bindings: [{ name: "MACHINE", kind: "service", service: "machine" }] },
    ],
    folders: [{ name: "machine", folder: machineFolder(own) }],
    externals: [],
    sockets: [{ name: "http", address: `127.0.0.1:${port}`, service: "small" }],
  });
  await writeFile(own.config, config);
});
afterEach(async () => {
  await endSupervised([own]);
  await rm(folder, { recursive: true, force: true });
});

async function start(restart: RestartPolicy = "on-failure"): Promise<void> {
  await startSupervised({ process: own, secrets: {}, restart, urls: [url] });
  await answers();
  await markHealthy(own);
}

async function answers(): Promise<void> {
  await eventually(async () => ((await ask("/")) === "ok" ? true : undefined), LIMIT_MS, "the Worker answers");
}

async function ask(path: string): Promise<string | undefined> {
  try {
    return await (await fetch(url + path)).text();
  } catch {
    // Not listening, or ended meanwhile.
    return undefined;
  }
}

async function pid(): Promise<number> {
  return eventually(async () => (await lockHolder(own.dataLock))?.pid, LIMIT_MS, "workerd runs");
}

async function kill(): Promise<void> {
  const killed = await pid();
  signalProcess(killed, "SIGKILL");
  const isGone = async () => ((await lockHolder(own.dataLock))?.pid === killed ? undefined : true);
  await eventually(isGone, LIMIT_MS, "what was killed is gone");
}

async function becomes(state: string): Promise<void> {
  await eventually(async () => (await processStatus(own)).state === state || undefined, LIMIT_MS, `it is ${state}`);
}

describe("a workerd that ends by itself", () => {
  test("is started again each time, and the report counts it and says why", async () => {
    await start();
    const first = await pid();
    expect(await processStatus(own)).toEqual({
      name: "small",
      pid: first,
      state: "running",
      supervised: true,
      restarts: 0,
      lastEnd: null,
    });
    for (const restarts of [1, 2]) {
      await kill();
      await answers();
      // The supervisor writes the new pid a moment after workerd can answer.
      await pid();
      const lastEnd = { at: expect.any(String) as unknown, reason: "it was ended by SIGKILL" };
      expect(await processStatus(own)).toMatchObject({ state: "running", restarts, lastEnd });
    }
    expect(await pid()).not.toBe(first);
  });

  test("stays dead where nothing is to be started again", async () => {
    await start("never");
    await kill();
    await becomes("dead");
    expect(await processStatus(own)).toMatchObject({
      pid: null,
      restarts: 0,
      lastEnd: { reason: "it was ended by SIGKILL" },
    });
    expect(await supervisorOf(own)).toBeUndefined();
  });

  test("and ends each time it is started is given up with the reason, and only its own lines are told", async () => {
    await writeFile(own.log, '{"level":"error","message":"a failed task of an earlier process"}\n');
    await start();
    await writeFile(join(folder, "worker.js"), 'throw new Error("Date cannot be represented");');
    await kill();
    await becomes("failed");
    const { restarts, lastEnd } = await processStatus(own);
    expect(restarts).toBe(4);
    expect(lastEnd?.reason).toMatch(/^it exited with 1: .*Date cannot be represented/);
    const { message } = await endedError(own);
    expect(message).toMatch(/^workerd ended by itself:\n {2}.*Date cannot be represented/);
    expect(message).not.toContain("earlier process");
    expect(await supervisorOf(own)).toBeUndefined();
  });

  test("before it was ever healthy is not started again: whoever starts it is told", async () => {
    await writeFile(join(folder, "worker.js"), 'throw new Error("no");');
    const { ended } = await startSupervised({ process: own, secrets: {}, restart: "on-failure", urls: [] });
    await eventually(async () => ended.aborted || undefined, LIMIT_MS, "the supervisor has ended");
    expect(await processStatus(own)).toMatchObject({ state: "dead", restarts: 0 });
  });
});

describe("a supervisor", () => {
  test("is the only one of its process, whether it lives or only its workerd does", async () => {
    await start();
    const second = async () => startSupervised({ process: own, secrets: {}, restart: "on-failure", urls: [] });
    await expect(second()).rejects.toThrow(/still serves/);
    signalProcess((await supervisorOf(own))?.pid, "SIGKILL");
    await eventually(async () => ((await supervisorOf(own)) ? undefined : true), LIMIT_MS, "the supervisor is gone");
    await expect(second()).rejects.toThrow(/still serves/);
    expect(await processStatus(own)).toMatchObject({ state: "running", supervised: false });
    expect(await ask("/")).toBe("ok");
  });

  test("that is told to end starts nothing again, and leaves neither workerd nor itself behind", async () => {
    await start();
    const [supervisor, workerd] = [await supervisorOf(own), await lockHolder(own.dataLock)];
    await endSupervised([own]);
    if (supervisor === undefined || workerd === undefined) throw new Error("Nothing ran.");
    expect([await isRunning(supervisor), await isRunning(workerd)]).toEqual([false, false]);
  });

  test("keeps what it writes from other users", async () => {
    await start();
    await kill();
    await answers();
    for (const path of [own.dataLock, join(own.room, "report.json"), join(machineFolder(own), "disk.json")])
      expect([path, (await stat(path)).mode & 0o077]).toEqual([path, 0]);
  });

  test("lets Workers know how much room there is on the disk", async () => {
    await start();
    const Disk = z.object({ at: z.number(), totalKb: z.number().positive(), freeKb: z.number() });
    const read = async () => Disk.safeParse(JSON.parse((await ask("/disk")) || "null")).data;
    const { at } = await eventually(read, LIMIT_MS, "the disk is measured");
    expect(Math.abs(at - Date.now() / 1000)).toBeLessThan(60);
  });

  test("keeps a log short while it is written, without ending the process", async () => {
    await start();
    const first = await pid();
    const isShort = async () => {
      await ask("/say");
      const before = await stat(`${own.log}.1`).catch(() => undefined);
      return before !== undefined && (await stat(own.log)).size < MAX_LOG_BYTES ? true : undefined;
    };
    await eventually(isShort, LIMIT_MS, "the log is short again");
    expect((await stat(`${own.log}.1`)).size).toBeGreaterThan(MAX_LOG_BYTES);
    expect(await pid()).toBe(first);
  });

  test.skipIf(process.platform !== "linux")("gives workerd as many open files as the system allows", async () => {
    await start();
    const limits = await readFile(`/proc/${await pid()}/limits`, "utf8");
    const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
    expect(soft).toBe(hard);
  });

  test.skipIf(process.platform !== "linux")(
    "brings workerd back that has ended for want of open files, with a reason",
    async () => {
      await start();
      await promisify(execFile)("prlimit", ["--pid", String(await pid()), "--nofile=64:64"]);
      const sockets: Socket[] = [];
      const isBack = async () => {
        if (sockets.length < 100) sockets.push(connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {}));
        return (await processStatus(own)).restarts > 0 || undefined;
      };
      await eventually(isBack, LIMIT_MS, "it was started again");
      for (const socket of sockets) socket.destroy();
      await answers();
      expect((await processStatus(own)).lastEnd?.reason).toMatch(/Too many open files/);
    },
  );
});
