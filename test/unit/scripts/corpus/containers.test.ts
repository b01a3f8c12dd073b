// PDF and docx files, good and hostile: each gives its text or the reason why it has none, and none stops the next.
import { deflateRawSync } from "node:zlib";

import { strToU8, zipSync } from "fflate";
import { afterAll, describe, expect, test } from "vitest";

import { Containers } from "../../../../scripts/corpus/containers.ts";

const containers = new Containers();
afterAll(async () => containers[Symbol.asyncDispose]());

function docx(body: string): Uint8Array {
  return zipSync({ "word/document.xml": strToU8(`<w:document><w:body>${body}</w:body></w:document>`) });
}

function paragraph(text: string, style = ""): string {
  const properties = style === "" ? "" : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`;
  return `<w:p>${properties}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

/** One page that shows `text`, of which only ASCII without brackets comes through. */
function pdf(text: string, pages = 1): Uint8Array {
  const stream = `BT /F1 12 Tf 72 720 Td (${text}) Tj ET`;
  const kids = Array.from({ length: pages }, (_, index) => `${index + 5} 0 R`).join(" ");
  const page =
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R /Resources << /Font << /F1 4 0 R >> >> >>";
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${kids}] /Count ${pages} >>`,
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ...Array.from({ length: pages }, () => page),
  ];
  let file = "%PDF-1.4\n";
  const places = objects.map((object, index) => {
    const place = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(place).padStart(10, "0")} 00000 n \n`;
  });
  const table = file.length;
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places.join("")}`;
  return strToU8(`${file}trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF`);
}

describe("a docx file", () => {
  test("gives paragraphs, headings, table rows and entities", async () => {
    const cell = (text: string) => `<w:tc>${paragraph(text)}</w:tc>`;
    const table = `<w:tbl><w:tr>${cell("lamp")}${cell("12 W")}</w:tr></w:tbl>`;
    const body = paragraph("Lamps", "Heading1") + paragraph("Bread &amp; butter, caf&#233;.") + table;
    expect(await containers.textOf(docx(body), "docx")).toEqual({
      text: "# Lamps\n\nBread & butter, café.\n\nlamp | 12 W |",
    });
  });
  test("that is nested without end is read like another", async () => {
    const deep = docx(`${"<w:p>".repeat(200_000)}${paragraph("Still here.")}`);
    expect(await containers.textOf(deep, "docx")).toEqual({ text: "Still here." });
  });
  test("whose entities stand for more than they say gives none of it", async () => {
    const bomb = `<!DOCTYPE a [<!ENTITY b "${"x".repeat(1000)}">]>`;
    const file = zipSync({ "word/document.xml": strToU8(`${bomb}<w:document>${paragraph("a &b; c")}</w:document>`) });
    expect(await containers.textOf(file, "docx")).toEqual({ text: "a &b; c" });
  });
  test("that claims gigabytes is not unpacked", async () => {
    const file = zipSync({ "word/document.xml": new Uint8Array(65 * 1024 * 1024) });
    expect(file.length).toBeLessThan(100_000);
    expect(await containers.textOf(file, "docx")).toEqual({
      reason: "cannot be read: it is larger than 64 MB unpacked",
    });
  });
  test("that claims less than it holds is cut off there", async () => {
    const xml = strToU8(`<w:document>${paragraph("Begin.")}${paragraph("x").repeat(1_000_000)}</w:document>`);
    const forged = forgedZip("word/document.xml", deflateRawSync(xml), 200);
    const read = await containers.textOf(forged, "docx");
    expect("text" in read ? read.text.length : 0).toBeLessThan(200);
  });
  test.each([
    ["no zip", strToU8("hello")],
    ["a zip of something else", zipSync({ "a.txt": strToU8("x") })],
    ["a document without words", docx("<w:p/>")],
  ])("that is %s says that it has no text", async (_, bytes) => {
    expect(await containers.textOf(bytes, "docx")).toHaveProperty("reason");
  });
});

describe("a PDF file", () => {
  test("gives the text of its pages, set apart", async () => {
    expect(await containers.textOf(pdf("The lamp takes twelve watts.", 2), "pdf")).toEqual({
      text: "The lamp takes twelve watts.\n\nThe lamp takes twelve watts.",
    });
  });
  test.each([
    ["garbage", strToU8(`%PDF-1.4\n${"<<".repeat(50_000)}`)],
    ["cut off", pdf("The lamp takes twelve watts.").slice(0, 60)],
    ["without words", pdf("")],
    ["of too many pages", pdf("x", 5_001)],
  ])("that is %s says why it has no text, and the next is read", async (_, bytes) => {
    expect(await containers.textOf(bytes, "pdf")).toHaveProperty("reason");
    expect(await containers.textOf(pdf("Next."), "pdf")).toEqual({ text: "Next." });
  });
});

test("a file that takes too long is given up", async () => {
  await using impatient = new Containers(1);
  expect(await impatient.textOf(docx(paragraph("a")), "docx")).toEqual({ reason: "takes longer than 0.001 s to read" });
});

/** A zip of one deflated file whose headers say that it unpacks to `claimed` bytes. */
function forgedZip(name: string, deflated: Uint8Array, claimed: number): Uint8Array {
  const file = zipSync({ [name]: new Uint8Array(claimed) }, { level: 0 });
  const view = Buffer.from(file);
  const central = view.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  const header = 30 + name.length;
  const parts = [view.subarray(0, header), deflated, view.subarray(central)].map((part) => Buffer.from(part));
  const [local, , end] = parts;
  for (const [part, method, sizes] of [
    [local, 8, 18],
    [end, 10, 20],
  ] as const) {
    part?.writeUInt16LE(8, method);
    part?.writeUInt32LE(deflated.length, sizes);
  }
  end?.writeUInt32LE(header + deflated.length, (end.indexOf(Buffer.from([0x50, 0x4b, 5, 6])) ?? 0) + 16);
  return new Uint8Array(Buffer.concat(parts));
}
