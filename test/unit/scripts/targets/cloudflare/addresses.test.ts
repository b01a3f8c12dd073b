// Which addresses of Workers have to be given, and which to be taken away.
import { expect, test } from "vitest";

import {
  type Addresses,
  afterUpload,
  changed,
  hidden,
  isSame,
  routesLost,
} from "../../../../../scripts/targets/cloudflare/upload/addresses.ts";

const ROUTE = { pattern: "a.example.com" };
const A: Addresses = { script: "a", workersDev: true, route: ROUTE };
const B: Addresses = { script: "b", workersDev: true };

test("what stays as it is needs nothing", () => {
  expect(isSame([A, B], [A, B])).toBe(true);
});

test("a route that goes to another Worker is lost by the first, and both change", () => {
  const to = [
    { script: "a", workersDev: true },
    { ...B, route: ROUTE },
  ];
  expect(routesLost([A, B], to)).toEqual([{ script: "a", route: ROUTE }]);
  expect(changed([A, B], to).map(({ script }) => script)).toEqual(["a", "b"]);
});

test("a Worker that is no longer there loses its route", () => {
  expect(routesLost([A], [])).toEqual([{ script: "a", route: ROUTE }]);
});

test("what is hidden has no address at all", () => {
  expect(changed([A, B], hidden([A, B]))).toEqual([
    { script: "a", workersDev: false },
    { script: "b", workersDev: false },
  ]);
  expect(changed([], hidden([A]))).toEqual([]);
});

test("an upload gives the address below workers.dev, and leaves the route to be given", () => {
  const from = afterUpload([], [A, B], new Set(["a", "b"]));
  expect(changed(from, [A, B])).toEqual([A]);
});
