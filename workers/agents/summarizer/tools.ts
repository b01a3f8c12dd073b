// The summarizer's own tool.
import * as z from "zod";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { withPauses } from "#shared/text/slices.ts";
import { extractKeyPoints, writeKeyPoints } from "./key-points.ts";

export const extractKeyPointsTool = defineTool({
  name: "extract_key_points",
  description:
    "Extracts the key points of a text: its most telling sentences, quoted word for word and chosen by word statistics. Given passages ([n] Title / source: … / text), each point carries the number of its passage. Use it to see what a long text says before you summarise it.",
  input: z.object({
    text: z.string().min(1).describe("The text, or passages in the form `[n] Title`, `source: …`, text."),
    limit: z.int().min(1).max(20).default(5).describe("How many points at most."),
    focus: z.optional(z.string().describe("A question or topic that the points should bear on.")),
  }),
  annotations: { readOnly: true, idempotent: true },
  async run({ text, limit, focus }) {
    const points = await withPauses(extractKeyPoints(text, limit, focus));
    return points.length > 0 ? writeKeyPoints(points) : "The text has no full sentence to extract.";
  },
});
