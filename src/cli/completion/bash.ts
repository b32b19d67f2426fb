/** The completion script for bash. It needs no package bash-completion. Pure. */
import { type Row, sourceText, valued } from './table.js'

export function bashScript(rows: readonly Row[]): string {
  const names = rows.map(({ name }) => name).join(' ')
  return `# Completion of lvsd for bash, made by: lvsd completion bash
# To use it: source <(lvsd completion bash)

_lvsd_rule() {
  # Sets flags, valued and args for a command, and value for the flag before the cursor.
  case $1 in
${rows.map(ruleOf).join('\n')}
  esac
}

${SPLIT}
_lvsd() {
  local _lvsd_words _lvsd_cur _lvsd_quote flags='' valued='' args='' value='' source='nothing' i at=0 socket=''
  _lvsd_split "\${COMP_LINE:0:COMP_POINT}"
  local program=\${_lvsd_words[0]/#\\~\\//$HOME/} command=\${_lvsd_words[1]-} cur=$_lvsd_cur
  local previous=\${_lvsd_words[\${#_lvsd_words[@]} - 1]} service=''
  COMPREPLY=()
  if ((\${#_lvsd_words[@]} < 2)); then
    source='choices ${names} --help --version'
  else
    _lvsd_rule "$command" "$previous"
    for ((i = 2; i < \${#_lvsd_words[@]}; i++)); do
      [[ \${_lvsd_words[i]} == --socket ]] && socket=\${_lvsd_words[i + 1]-}
      [[ \${_lvsd_words[i]} == --socket=* ]] && socket=\${_lvsd_words[i]#*=}
      if [[ " $valued " == *" \${_lvsd_words[i]} "* ]]; then ((i++))
      elif [[ \${_lvsd_words[i]} != -* ]]; then ((at++)); service=\${_lvsd_words[i]}; fi
    done
    local IFS='|'; local sources=($args); unset IFS
    if [[ -n $value ]]; then source=$value
    elif [[ $cur == --*=* ]]; then _lvsd_rule "$command" "\${cur%%=*}"; source=\${value:-nothing} cur=\${cur#*=}
    elif [[ $cur == -* ]]; then source="choices $flags"
    else source=\${sources[at]-nothing}; fi
  fi
  local IFS=$'\\n' found=()
  case $source in
    choices*) IFS=' '; local words=(\${source#choices }); IFS=$'\\n'
      for i in "\${words[@]}"; do [[ $i == "$cur"* ]] && found+=("$i"); done ;;
    file) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
    target | service | real)
      found=($(LVSD_SOCKET=\${socket:-\${LVSD_SOCKET-}} "$program" completion words --words "$source" \${cur:+--begun="$cur"} \${service:+--service="$service"} 2>/dev/null)) ;;
  esac
  # A colon begins a new word for readline, unless a quote is open.
  local strip=''
  if [[ -z $_lvsd_quote && $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then strip=\${cur%:*}:; fi
  if [[ -z $_lvsd_quote && -z $strip && "\${found[*]}" == *[^[:alnum:]_@%+:,./$'\\n'-]* ]]; then
    # Brackets are a pattern for the shell: all words are quoted, so that they have the same beginning.
    for i in "\${found[@]}"; do COMPREPLY+=("'$i'"); done
  else
    for i in "\${found[@]}"; do COMPREPLY+=("\${i#"$strip"}"); done
  fi
}
complete -F _lvsd lvsd
`
}

function ruleOf(row: Row): string {
  const { name, flags } = row
  const args = row.arguments.map(sourceText).join('|')
  const words = flags.flatMap(({ long, short }) => (short ? [long, short] : [long])).join(' ')
  const values = flags.flatMap(({ long, short, value }) =>
    value
      ? [`      case $2 in ${short ? `${long} | ${short}` : long}) value='${sourceText(value)}' ;; esac`]
      : [],
  )
  return [
    `    ${name})`,
    `      flags='${words}' valued='${valued(row).join(' ')}' args='${args}'`,
    ...values,
    '      ;;',
  ].join('\n')
}

/** Splits a line as the shell does, because bash's own COMP_WORDS are split at colons. */
const SPLIT = String.raw`_lvsd_split() {
  local line=$1 i c word='' quote='' begun=''
  _lvsd_words=()
  for ((i = 0; i < ${'$'}{#line}; i++)); do
    c=${'$'}{line:i:1}
    if [[ $quote == "'" ]]; then
      if [[ $c == "'" ]]; then quote=''; else word+=$c; fi
    elif [[ $quote == '"' ]]; then
      if [[ $c == '"' ]]; then quote=''
      elif [[ $c == '\' ]]; then ((i++)); word+=${'$'}{line:i:1}
      else word+=$c; fi
    elif [[ $c == "'" || $c == '"' ]]; then quote=$c begun=1
    elif [[ $c == '\' ]]; then ((i++)); word+=${'$'}{line:i:1} begun=1
    elif [[ $c == [[:blank:]] ]]; then
      if [[ -n $begun ]]; then _lvsd_words+=("$word"); fi
      word='' begun=''
    else word+=$c begun=1; fi
  done
  _lvsd_cur=$word _lvsd_quote=$quote
}
`
