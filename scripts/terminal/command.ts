// A command as data: its name, its arguments, its work. The parser checks every flag by name and suggests the nearest
// one for a wrong flag. A group is a command whose first argument names a subcommand.
import { parseArgs } from "node:util";

import { suggest } from "#shared/text/nearest.ts";

import { CliError } from "./cli-error.ts";
import { prefix, word } from "./hint.ts";
import type { Io } from "./io.ts";

export interface Option {
  readonly type: "string" | "boolean";
  readonly description: string;
  /** Name of the value in the help; only for strings. */
  readonly value?: string;
  /** The flag may be repeated, and all its values count; only for strings. */
  readonly multiple?: true;
}

type Options = Readonly<Record<string, Option>>;

type Value<O extends Option> = O["type"] extends "boolean"
  ? boolean
  : O extends { readonly multiple: true }
    ? readonly string[]
    : string;

type Values<O extends Options> = { readonly [Name in keyof O]?: Value<O[Name]> | undefined };

type Parsed = Record<string, string | boolean | string[]>;

export interface Invocation<O extends Options = Options> {
  readonly positionals: readonly string[];
  readonly options: Values<O>;
  readonly io: Io;
}

interface Definition<O extends Options> {
  /** Words after `troupe`; a subcommand's name begins with its group's. */
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as shown in the help, such as `<job> [question]`. */
  readonly usage: string;
  /** Fewest and most positional arguments. */
  readonly positionals: readonly [least: number, most: number];
  readonly options: O;
  readonly examples?: readonly string[];
  run(invocation: Invocation<O>): Promise<void>;
}

export interface Command extends Omit<Definition<Options>, "run"> {
  /** Parses the arguments after the verb and runs the command; throws CliError. */
  run(args: readonly string[], io: Io): Promise<void>;
}

export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  /** Subcommands by the word after the group's name. */
  readonly commands: Commands;
}

/** Loaded on demand: a short command does not wait for the code of the others. */
export type Commands = Readonly<Record<string, () => Promise<{ readonly default: Command | CommandGroup }>>>;

export const JSON_OPTION = { type: "boolean", description: "Print JSON" } as const;

export function defineCommand<const O extends Options>(definition: Definition<O>): Command {
  return {
    ...definition,
    run: async (args, io) => definition.run({ ...parse(definition, args), io }),
  };
}

function parse<O extends Options>(definition: Definition<O>, args: readonly string[]) {
  const { name, options } = definition;
  const help = `Run: ${prefix()} ${name} --help`;
  const config = Object.fromEntries(Object.entries(options).map(([key, { type }]) => [key, { type }]));
  const { tokens } = parseArgs({
    args: [...args],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals: string[] = [];
  const values: Parsed = {};
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) {
      throw new CliError(
        "bad_input",
        `${name} has no flag ${token.rawName}. ${suggest(
          token.rawName,
          Object.keys(options).map((key) => `--${key}`),
        )}`,
        help,
      );
    }
    if (option.type === "string" && (token.value === undefined || token.value === "")) {
      throw new CliError("bad_input", `${token.rawName} needs a value: ${token.rawName} ${option.value ?? "…"}`, help);
    }
    // A value that begins with a dash is the next flag: in --session $ID --json the variable was empty.
    if (option.type === "string" && token.inlineValue === false && token.value?.startsWith("-")) {
      throw new CliError(
        "bad_input",
        `${token.rawName} needs a value before ${token.value}.`,
        `Put an equals sign before a value that begins with a dash: ${token.rawName}=${word(token.value)}`,
      );
    }
    if (option.type === "boolean" && token.value !== undefined) {
      throw new CliError("bad_input", `${token.rawName} takes no value.`, help);
    }
    const before = values[token.name];
    const all = Array.isArray(before) ? before : [];
    values[token.name] = option.multiple ? [...all, token.value ?? ""] : (token.value ?? true);
  }
  const [least, most] = definition.positionals;
  if (positionals.length < least) {
    throw new CliError("bad_input", `An argument is missing: troupe ${name} ${definition.usage}`, help);
  }
  if (positionals.length > most) {
    throw new CliError(
      "bad_input",
      `"${positionals[most] ?? ""}" is one argument too many: troupe ${name} ${definition.usage}`,
      most > 0 ? "Put text with spaces in quotes." : help,
    );
  }
  if (!fits(options, values)) throw new TypeError(`The values of ${name} do not fit its options`);
  return { positionals, options: values };
}

function fits<O extends Options>(options: O, values: Parsed): values is Values<O> & typeof values {
  return Object.entries(values).every(([name, value]) => {
    const { type, multiple = false } = options[name] ?? {};
    return multiple ? Array.isArray(value) : typeof value === type;
  });
}
