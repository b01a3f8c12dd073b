import { expect, test } from "vitest";
import { listConfigs } from "#shared/agent/session/push/list-configs.ts";

const configs = ["c", "a", "d", "b", "ü"].map((id) => ({
  id,
  url: "",
  token: "",
  scheme: "",
  credentials: "",
  isLegacy: false,
}));

test("pages hold each config once, and the last has no token", () => {
  const seen: string[][] = [];
  let pageToken = "";
  do {
    const { page, nextPageToken } = listConfigs(configs, { pageSize: 2, pageToken });
    seen.push(page.map(({ id }) => id));
    pageToken = nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual([["a", "b"], ["c", "d"], ["ü"]]);
});

test("a page ends where the next config was deleted meanwhile, and the rest follows", () => {
  const { nextPageToken } = listConfigs(configs, { pageSize: 2, pageToken: "" });
  const left = configs.filter(({ id }) => id !== "b" && id !== "c");
  expect(listConfigs(left, { pageSize: 0, pageToken: nextPageToken }).page.map(({ id }) => id)).toEqual(["d", "ü"]);
});

test.for([
  { pageSize: -1, pageToken: "" },
  { pageSize: 1.5, pageToken: "" },
  { pageSize: Number.NaN, pageToken: "" },
  { pageSize: 101, pageToken: "" },
  { pageSize: 1, pageToken: "!!" },
])("%j is refused", (request) => {
  expect(() => listConfigs(configs, request)).toThrow(/pageSize must be|pageToken is not/);
});
