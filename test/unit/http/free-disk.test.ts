// Whether there is room to take work, as a supervisor measured it.
import { afterEach, expect, onTestFinished, test, vi } from "vitest";

import { diskFull, freeDisk } from "#shared/http/free-disk.ts";

const NOW = Date.UTC(2026, 0, 1);
const MB = 1024;

afterEach(() => void vi.useRealTimers());

/** The machine's service; counts how often it is asked. */
function machine(answer: () => string) {
  vi.useFakeTimers({ now: NOW });
  let asked = 0;
  const fetch = async () => {
    asked++;
    return new Response(answer());
  };
  return { fetch, asked: () => asked };
}

const measured = (totalKb: number, freeKb: number, at = NOW / 1000): string => JSON.stringify({ at, totalKb, freeKb });

test.each<[string, string, boolean, number | undefined]>([
  ["a large disk with 64 MB left has enough", measured(1_000_000 * MB, 64 * MB), true, 64 * MB * 1024],
  ["… with less it has not", measured(1_000_000 * MB, 64 * MB - 1), false, (64 * MB - 1) * 1024],
  ["a small disk has enough with a tenth of it", measured(14_000, 1_400), true, 1_400 * 1024],
  ["… with less it has not", measured(14_000, 1_399), false, 1_399 * 1024],
  ["a full one has not", measured(14_000, 0), false, 0],
  ["a word of a minute ago is of a supervisor that is gone", measured(14_000, 0, NOW / 1000 - 60), true, undefined],
  ["one from the future is of another clock", measured(14_000, 0, NOW / 1000 + 60), true, undefined],
  ["what was not measured yet says nothing", "", true, undefined],
  ["half a word says nothing", measured(14_000, 0).slice(0, 20), true, undefined],
  ["a negative figure says nothing", measured(14_000, -1), true, undefined],
])("%s", async (_, answer, enough, freeBytes) => {
  expect(await freeDisk(machine(() => answer))).toEqual({ enough, freeBytes });
});

test("where nobody measures, or nobody answers, work is taken", async () => {
  expect(await freeDisk(undefined)).toEqual({ enough: true, freeBytes: undefined });
  const fetch = async () => Promise.reject(new TypeError("no"));
  expect(await freeDisk({ fetch })).toEqual({ enough: true, freeBytes: undefined });
});

test("the machine is asked once a second, however many ask", async () => {
  let free = 0;
  const service = machine(() => measured(14_000, free));
  onTestFinished(() => void vi.useRealTimers());
  await freeDisk(service);
  const looks = await Promise.all(Array.from({ length: 20 }, async () => freeDisk(service)));
  expect([looks.every(({ enough }) => !enough), service.asked()]).toEqual([true, 1]);
  free = 14_000;
  vi.advanceTimersByTime(1_001);
  expect([(await freeDisk(service)).enough, service.asked()]).toEqual([true, 2]);
});

test("who is refused hears how much is left, and what to do", () => {
  const [{ detail }, headers] = diskFull({ freeBytes: 1.5 * 1024 * 1024, enough: false });
  expect(detail).toMatch(/^disk full: 1\.5 MB are left .*Make room/);
  expect(Number(headers["retry-after"])).toBeGreaterThan(0);
});
