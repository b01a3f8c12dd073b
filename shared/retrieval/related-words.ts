// Words that answer each other: a question about costs is answered by "is billed". Ordinary English, no technical
// terms.
import { tokenize } from "./tokens.ts";

const GROUPS = [
  "create created made build built develop developed publish published write written author invent invented founded announced released maker",
  "store stores storage keep save persist persisted hold database",
  "cost price bill billed charge charged fee pay cheap cheaper expensive dear dearer free",
  "limit maximum maximal max most large larger big size length",
  "delete remove drop discard clean",
  "begin start launch run",
  "fail failure error throw crash break",
  "retry repeat retried attempt",
  "call invoke",
  "differ difference contrast whereas compare comparison unlike",
  "licence license",
  "secure security safe safety sandbox",
  "quick fast fastest speed slow slower",
  "deliver delivery send",
  "change update edit modify",
  "install set setup configure configuration",
  "follow poll watch",
  "allow allowed permit may",
  "employee staff",
  "vacation holiday leave",
  "trip travel journey",
  // Irregular forms, which stemming does not unite.
  "lose lost loss",
  "break broke broken",
  "buy bought",
  "rise rose risen",
  "choose chose chosen choice",
  "keep kept",
  "pay paid",
  "send sent",
  "take took taken",
  "run ran",
  "win won winner",
  "grow grew grown",
  "sell sold",
  "teach taught",
  "eat ate eaten",
];

const related = new Map<string, Set<string>>();
for (const group of GROUPS) {
  const stems = tokenize(group);
  for (const stem of stems)
    related.set(stem, new Set([...(related.get(stem) ?? []), ...stems.filter((other) => other !== stem)]));
}

const NONE: ReadonlySet<string> = new Set();

/** Stems with nearly the same meaning as `stem`; usually none. */
export function relatedStems(stem: string): ReadonlySet<string> {
  return related.get(stem) ?? NONE;
}
