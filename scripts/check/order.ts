// Rules for dependency-cruiser, made from the order in which the parts of a folder stand (.dependency-cruiser.mjs).
import type { IRegularForbiddenRuleType } from "dependency-cruiser";

/**
 * Names of files and folders. In one text, apart by spaces, they share a place and may import one another; a list is of
 * places side by side, which may not.
 */
type Column = string | readonly string[];

/**
 * From left to right: each part of `folder` may import of the folder its own place and what stands left of it, so that
 * nobody inside imports the last one. A part that is not named is an error.
 *
 * Contracts may be imported by all parts and import types of all but the last. A contract without a place stands left.
 */
export function order(
  folder: string,
  columns: readonly Column[],
  { contracts = [] }: { contracts?: readonly string[] } = {},
): IRegularForbiddenRuleType[] {
  const parts = (names: readonly string[]) => `^${folder}/(${names.join("|")})[/.]`;
  const places = columns.map((column) => [column].flat().map((names) => names.split(" ")));
  const placed = places.flat(2);
  places.unshift([contracts.filter((name) => !placed.includes(name))]);
  const last = parts(places.at(-1)?.flat() ?? []);
  const all = parts(places.flat(2));
  const unplaced = { path: `^${folder}/`, pathNot: all };

  const rules = [
    forbid(`no place in ${folder}`, unplaced, {}),
    forbid(`no place in ${folder}`, {}, unplaced),
    ...contracts.map((name) =>
      forbid(`contracts of ${folder} do not import its last part`, { path: parts([name]) }, { path: last }),
    ),
  ];
  const left = [...contracts];
  for (const column of places) {
    for (const place of column) {
      const others = { path: all, pathNot: parts([...left, ...place]) };
      for (const name of place) {
        const from = { path: parts([name]) };
        rules.push(
          contracts.includes(name)
            ? forbid(`contracts of ${folder} import only types`, from, { ...others, dependencyTypesNot: ["type-only"] })
            : forbid(`order of ${folder}`, from, others),
        );
      }
    }
    left.push(...column.flat());
  }
  return rules;
}

/** Of the folder `of`, files under `from` may import only the parts that are named. */
export function sees(from: string, of: string, parts: readonly string[]): IRegularForbiddenRuleType {
  const others = { path: `^${of}/`, pathNot: `^${of}/(${parts.join("|")})[/.]` };
  return forbid(`${from} sees of ${of} only ${parts.join(", ")}`, { path: `^${from}/` }, others);
}

function forbid(
  name: string,
  from: IRegularForbiddenRuleType["from"],
  to: IRegularForbiddenRuleType["to"],
): IRegularForbiddenRuleType {
  return { name, severity: "error", from, to };
}
