import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, test } from "vitest";
import type { Corpus } from "../../workers/agents/searcher/corpus.ts";
import type { CorpusFile } from "../../workers/agents/searcher/corpus-schema.ts";

let corpus: DurableObjectStub<Corpus>;

beforeEach(({ task }) => {
  corpus = env.CORPUS.getByName(task.id);
});

test("a passage is found by its words, with title, path below the folder and text", async () => {
  await put(file("sea/tides.md", "# Tides\n\nThe moon pulls the sea."));
  const [found] = await corpus.search("What does the moon do?", 5);
  expect(found).toEqual({
    title: "Tides",
    source: "docs/sea/tides.md",
    text: "# Tides\n\nThe moon pulls the sea.",
    score: expect.any(Number),
  });
});

test("any of a question's words is enough, but stop words find nothing", async () => {
  await put(file("a.txt", "A lighthouse stands here."), file("b.txt", "What is the use of it?"));
  expect(await sources("What is the height of the lighthouse on the cliff?")).toEqual(["docs/a.txt"]);
});

test("the better fit comes first", async () => {
  await put(
    file("one.txt", "Ships and harbours, once a storm."),
    file("two.txt", "A storm and its waves: storm waves."),
    file("three.txt", "Nothing of that kind."),
  );
  expect(await sources("storm waves")).toEqual(["docs/two.txt", "docs/one.txt"]);
});

test("different files come before several passages of one", async () => {
  const paragraph = (n: number) => `Whales sing. ${`Filler sentence number ${n}. `.repeat(30)}`;
  await put(
    file("long.txt", [1, 2, 3].map(paragraph).join("\n\n")),
    file("short.txt", "Somewhere a whale was seen, they say, by many people."),
  );
  expect(new Set((await sources("whales sing")).slice(0, 2))).toEqual(new Set(["docs/long.txt", "docs/short.txt"]));
});

test.for(['moon" OR "x', "body:moon", "moon NOT pulls", "NEAR(moon)", "moon* AND (", "'; DROP TABLE files; --moon"])(
  "query syntax is only words: %s",
  async (query) => {
    await put(file("tides.md", "The moon pulls the sea."));
    expect(await sources(query)).toEqual(["docs/tides.md"]);
  },
);

test("a question without any word finds nothing", async () => {
  await put(file("tides.md", "The moon pulls the sea."));
  expect(await sources('"?!*"')).toEqual([]);
});

test("HTML is found by its text and title, not by its markup", async () => {
  await put({
    ...file(
      "page.html",
      "<html><head><title>Harbour guide</title><style>.lantern{}</style></head><body><h1>Piers</h1><p>Mooring is <b>free</b>.</p></body></html>",
    ),
    type: "html",
  });
  expect(await corpus.search("mooring", 1)).toMatchObject([
    { title: "Harbour guide", text: "# Piers\n\nMooring is free." },
  ]);
  expect(await sources("lantern")).toEqual([]);
});

test("titles come from front matter, heading, first line or file name", async () => {
  await put(
    file("a.md", '---\ntitle: "From matter"\n---\n\n# Other\n\nzebra'),
    file("b.md", "Heading\n=======\n\nzebra"),
    { ...file("c.txt", "First line\n\nzebra"), type: "txt" },
    file("deep/d.md", "zebra only"),
  );
  const titles = (await corpus.search("zebra", 10)).map(({ title }) => title);
  expect(titles.toSorted()).toEqual(["First line", "From matter", "Heading", "d.md"]);
});

test("a file that is uploaded again replaces its passages", async () => {
  await put(file("a.txt", "zebras ".repeat(500)));
  await put({ ...file("a.txt", "giraffes"), hash: "new" });
  expect(await sources("zebras")).toEqual([]);
  expect(await sources("giraffes")).toEqual(["docs/a.txt"]);
  expect(await corpus.manifest()).toEqual([{ path: "a.txt", hash: "new" }]);
});

test("of a path that is uploaded twice at once the last counts", async () => {
  await put(file("a.txt", "zebras"), file("a.txt", "giraffes"));
  expect(await sources("zebras giraffes")).toEqual(["docs/a.txt"]);
  expect(await sources("zebras")).toEqual([]);
});

/** A file that one transaction does not write. */
const LARGE = Array.from({ length: 20_000 }, (_, n) => `Zebra number ${n} drinks at the lake every evening.`).join(
  "\n\n",
);

test("large files that are uploaded at the same time, and again, are each there as a whole and once", async () => {
  const upload = [file("a.txt", LARGE), file("b.txt", "giraffes"), file("c.txt", LARGE)];
  await Promise.all([put(...upload), put(...upload)]);
  expect((await corpus.manifest()).map(({ path, hash }) => [path, hash])).toEqual([
    ["a.txt", "1"],
    ["b.txt", "1"],
    ["c.txt", "1"],
  ]);
  expect(new Set(await sources("19999 zebra"))).toEqual(new Set(["docs/a.txt", "docs/c.txt"]));
  await Promise.all([put(file("a.txt", LARGE)), corpus.remove(["a.txt", "c.txt"])]);
  expect(await sources("zebra giraffes")).toEqual(["docs/b.txt"]);
});

test("an upload that breaks off in the middle of a large file leaves it without a hash, and can be repeated", async () => {
  const broken = put({ ...file("a.txt", LARGE), hash: "whole" }).then(() => "", String);
  const hashes = async () => (await corpus.manifest()).map(({ hash }) => hash);
  await expect.poll(hashes, { interval: 5 }).toEqual([""]);
  await runInDurableObject(corpus, (_, ctx) => ctx.abort("broken off by the test")).catch(() => undefined);
  expect(await broken).toContain("broken off by the test");
  corpus = env.CORPUS.get(corpus.id);
  expect(await hashes()).toEqual([""]);
  await put({ ...file("a.txt", LARGE), hash: "whole" });
  expect(await hashes()).toEqual(["whole"]);
  expect(new Set(await sources("19999 zebra"))).toEqual(new Set(["docs/a.txt"]));
});

test("a removed file is found no more, and removing it again is no mistake", async () => {
  await put(file("a.txt", "zebras"), file("b.txt", "zebras too"));
  await corpus.remove(["a.txt", "never-there.txt"]);
  await corpus.remove(["a.txt"]);
  expect(await sources("zebras")).toEqual(["docs/b.txt"]);
  expect(await corpus.manifest()).toEqual([{ path: "b.txt", hash: "1" }]);
});

test("files that were there keep their passages when the folder gets another name", async () => {
  await put(file("a.txt", "zebras"));
  await corpus.put({ root: "/home/me/papers/", files: [] });
  expect(await sources("zebras")).toEqual(["/home/me/papers/a.txt"]);
});

test("a long text becomes passages of about a thousand characters that lose nothing", async () => {
  const words = Array.from({ length: 3000 }, (_, n) => `word${n}`);
  await put(file("long.txt", words.join(" ")));
  const [found] = await corpus.search("word2999", 1);
  expect(found?.text.length).toBeLessThanOrEqual(1000);
  expect(await sources("word0")).toEqual(["docs/long.txt"]);
  expect(await sources("word1500")).toEqual(["docs/long.txt"]);
});

test("files without text are kept in the manifest, so that they are not uploaded again", async () => {
  await put(file("empty.md", " \n "));
  expect(await corpus.manifest()).toEqual([{ path: "empty.md", hash: "1" }]);
});

test("an evicted corpus keeps its documents", async () => {
  await put(file("a.txt", "zebras"));
  await evictDurableObject(corpus);
  expect(await sources("zebra")).toEqual(["docs/a.txt"]);
});

test("documents that an older version indexed are found after the upgrade, and can be replaced and removed", async () => {
  await runInDurableObject(corpus, (_, { storage: { sql } }) => {
    sql.exec(`CREATE TABLE files (
        number INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, root TEXT NOT NULL
      );
      CREATE VIRTUAL TABLE passages USING fts5(title, body, tokenize='porter unicode61 remove_diacritics 2');
      CREATE VIEW schema_version AS SELECT 1 AS version`);
    for (let number = 1; number <= 600; number += 1) {
      sql.exec("INSERT INTO files VALUES (?, ?, '1', 'docs')", number, `${number}.txt`);
      const body = number === 600 ? "仓库主管的名字是李明远。" : `Zebra number ${number}.`;
      sql.exec("INSERT INTO passages (rowid, title, body) VALUES (?, 'T', ?)", number * 65_536, body);
    }
  });
  expect(await sources("李明远")).toEqual(["docs/600.txt"]);
  expect(await sources("number 599")).toContain("docs/599.txt");
  await put({ ...file("599.txt", "A giraffe."), hash: "2" });
  await corpus.remove(["600.txt"]);
  expect(await sources("giraffe")).toEqual(["docs/599.txt"]);
  expect(await sources("李明远")).toEqual([]);
  expect((await corpus.manifest()).length).toBe(599);
});

test.for([
  ["Wo ist Zoe\u0301?", "Zo\u00e9 ist hier."],
  ["straße", "Die STRASSE ist lang."],
  ["ＡＢＣ", "abc"],
  ["猫", "黒猫がいる。"],
  ["Will", "Will is here."],
] as const)("%s finds %s", async ([query, text]) => {
  await put(file("a.txt", text));
  expect(await sources(query)).toEqual(["docs/a.txt"]);
});

test("a sentence within an endless line is whole in one of its passages", async () => {
  const sentence = "the marzipan key opens the garden gate";
  for (let before = 940; before < 1000; before += 6) {
    await put(file(`${before}.txt`, `${"x ".repeat(before / 2)}${sentence}${" y".repeat(400)}`));
  }
  const whole = (await corpus.search("marzipan key", 20)).filter(({ text }) => text.includes(sentence));
  expect(new Set(whole.map(({ source }) => source)).size).toBe(10);
});

function file(path: string, text: string): CorpusFile {
  return { path, hash: "1", type: path.endsWith(".txt") ? "txt" : "md", text };
}

async function put(...files: CorpusFile[]): Promise<void> {
  await corpus.put({ root: "docs", files });
}

async function sources(query: string): Promise<string[]> {
  return (await corpus.search(query, 10)).map(({ source }) => source);
}
