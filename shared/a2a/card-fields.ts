// What the words of an agent's card may be: the registry takes no others, so a definition and a job file are held to
// the same.
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
