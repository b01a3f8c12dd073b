// What makes a shell complete `troupe`: it asks the program itself for the words that fit. Where no `troupe` is on the path, the script
// adds it as a function.
import { PROJECT } from "../project/project.ts";
import { word } from "../terminal/hint.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The verb that answers with the words that fit, one a line. */
export const COMPLETE = "__complete";
/** A line that stands for names of files. */
export const FILES = ":files";

const PROGRAM = `node ${word(`${PROJECT}/scripts/troupe.mjs`)}`;

export function scriptFor(shell: Shell): string {
  switch (shell) {
    case "bash":
      return `# In ~/.bashrc: eval "$(npx troupe completion bash)"
command -v troupe >/dev/null || troupe() { ${PROGRAM} "$@"; }
_troupe() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ${FILES} ]]; then compopt -o default; else COMPREPLY+=("$line"); fi
  done < <(${PROGRAM} ${COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _troupe troupe`;
    case "zsh":
      return `# In ~/.zshrc, after compinit: eval "$(npx troupe completion zsh)"
(( $+commands[troupe] )) || troupe() { ${PROGRAM} "$@" }
_troupe() {
  local line
  local -a found
  for line in "\${(@f)$(${PROGRAM} ${COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ${FILES} ]]; then _files; elif [[ -n $line ]]; then found+=("$line"); fi
  done
  compadd -a found
}
compdef _troupe troupe`;
    case "fish":
      return `# In ~/.config/fish/config.fish: npx troupe completion fish | source
type -q troupe; or function troupe; ${PROGRAM} $argv; end
function __troupe_complete
  set -l words (commandline -opc)
  for line in (${PROGRAM} ${COMPLETE} -- $words[2..] (commandline -ct) 2>/dev/null)
    if test $line = ${FILES}
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c troupe -f -a '(__troupe_complete)'`;
  }
}
