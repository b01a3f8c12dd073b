// The thread that reads PDF and docx files: gets bytes, answers with the text, or with the reason why there is none.
import { parentPort } from "node:worker_threads";

import * as z from "zod";

import { reasonOf } from "#shared/text/reason.ts";

const Request = z.object({ bytes: z.instanceof(Uint8Array), container: z.enum(["pdf", "docx"]) });

parentPort?.on("message", (message) => {
  void answer(message);
});

async function answer(message: unknown): Promise<void> {
  const { bytes, container } = Request.parse(message);
  try {
    const text =
      container === "pdf"
        ? await (await import("./pdf.ts")).pdfText(bytes)
        : (await import("./docx.ts")).docxText(bytes);
    parentPort?.postMessage(text.trim() === "" ? { reason: "has no text" } : { text });
  } catch (error) {
    parentPort?.postMessage({ reason: `cannot be read: ${reasonOf(error)}` });
  }
}
