// Limits of an agent card's texts. The registry accepts no others, so definitions and job files are checked against the
// same.
import * as z from "zod";

const text = (max: number) => z.string().trim().min(1).max(max);

/** Skills of one card. */
export const MAX_SKILLS = 100;

export const CARD_FIELDS = { name: text(200), description: text(4000), version: text(100) };

export const SKILL_FIELDS = {
  id: text(100),
  name: text(200),
  description: text(4000),
  tags: z.array(text(100)).max(50),
  examples: z.array(text(1000)).max(50),
};
