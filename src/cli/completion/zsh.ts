/** The completion script for zsh. Pure. */
import { shellQuoted } from '../../util/shell-quoted.js'
import { type Row, sourceText, valued } from './table.js'

export function zshScript(rows: readonly Row[]): string {
  return `#compdef lvsd
# Completion of lvsd for zsh, made by: lvsd completion zsh
# To use it: source <(lvsd completion zsh), after compinit; or as a file _lvsd in a folder of $fpath

_lvsd_rule() {
  case $1 in
${rows.map(ruleOf).join('\n')}
  esac
}

_lvsd() {
  local -a commands flags valued args found
  local value='' source=nothing word service='' socket='' cur="\${(Q)PREFIX}"
  integer i at=0
  commands=(
${rows.map(({ name, summary }) => `    ${described(name, summary)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  _lvsd_rule "\${words[2]}" "\${words[CURRENT-1]}"
  for ((i = 3; i < CURRENT; i++)); do
    word="\${(Q)words[i]}"
    [[ $word == --socket ]] && socket="\${(Q)words[i+1]}"
    [[ $word == --socket=* ]] && socket="\${word#*=}"
    if ((\${valued[(Ie)$word]})); then ((i++))
    elif [[ $word != -* ]]; then ((at++)); service=$word; fi
  done
  if [[ -n $value ]]; then source=$value
  elif [[ $cur == -* ]]; then _describe option flags; return
  else source=\${args[at+1]:-nothing}; fi
  case $source in
    choices*) found=(\${=source#choices }); compadd -a found ;;
    file) _files ;;
    target | service | real)
      found=("\${(@f)$(LVSD_SOCKET=\${socket:-$LVSD_SOCKET} "\${(Q)words[1]}" completion words --words $source \${cur:+--begun=$cur} \${service:+--service=$service} 2>/dev/null)}")
      # A word that ends in / goes on.
      compadd -S '' -- \${(M)found:#*/}
      compadd -- \${found:#(|*/)} ;;
  esac
}

if [[ $funcstack[1] == _lvsd ]]; then _lvsd "$@"; else compdef _lvsd lvsd; fi
`
}

function ruleOf(row: Row): string {
  const flags = row.flags.flatMap(({ long, short, about }) =>
    [long, ...(short ? [short] : [])].map(flag => described(flag, about)),
  )
  const values = row.flags.flatMap(({ long, short, value }) =>
    value
      ? [`      case $2 in (${short ? `${long}|${short}` : long}) value='${sourceText(value)}' ;; esac`]
      : [],
  )
  return [
    `    (${row.name})`,
    `      flags=(${flags.join(' ')})`,
    `      valued=(${valued(row).join(' ')}) args=(${row.arguments.map(word => `'${sourceText(word)}'`).join(' ')})`,
    ...values,
    '      ;;',
  ].join('\n')
}

/** `'name:what it does'`, for _describe. */
function described(word: string, about: string): string {
  return shellQuoted(`${word}:${about.replaceAll(':', '\\:')}`)
}
