/** The completion script for fish. Pure. */
import { type Row, valued, type Word } from './table.js'

export function fishScript(rows: readonly Row[]): string {
  const valuedFlags = [...new Set(rows.flatMap(valued))].join(' ')
  return `# Completion of lvsd for fish, made by: lvsd completion fish
# To use it: lvsd completion fish | source; or as ~/.config/fish/completions/lvsd.fish

${FUNCTIONS.replace('VALUED', valuedFlags)}
complete -c lvsd -f
${rows.flatMap(linesOf).join('\n')}
`
}

function linesOf({ name, summary, flags, arguments: words }: Row): string[] {
  const on = `__lvsd_is ${name}`
  return [
    `complete -c lvsd -n '__lvsd_at 0' -a ${name} -d ${quoted(summary)}`,
    ...words.map((word, i) => `complete -c lvsd -n '${on}; and __lvsd_at ${i + 1}' ${wordOf(word)}`),
    ...flags.map(({ long, short, about, value }) => {
      const letters = short ? ` -s ${short.slice(1)}` : ''
      const takes = value ? ` -r ${wordOf(value)}` : ''
      return `complete -c lvsd -n '${on}' -l ${long.slice(2)}${letters}${takes} -d ${quoted(about)}`
    }),
  ]
}

function wordOf({ source, choices }: Word): string {
  if (source === 'choices') return `-f -a '${choices.join(' ')}'`
  if (source === 'file') return '-F'
  return source === 'nothing' ? '-f' : `-f -a '(__lvsd_words ${source})'`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

const FUNCTIONS = `function __lvsd_plain
    # The words before the cursor without options and their values.
    set -l skip 0
    for word in (commandline -opc)
        if test $skip = 1
            set skip 0
        else if contains -- $word VALUED
            set skip 1
        else if not string match -q -- '-*' $word
            echo -- $word
        end
    end
end

function __lvsd_at
    test (count (__lvsd_plain)) = (math $argv[1] + 1)
end

function __lvsd_is
    set -l plain (__lvsd_plain)
    test (count $plain) -gt 1; and test $plain[2] = $argv[1]
end

function __lvsd_words
    set -l plain (__lvsd_plain)
    set -l begun (commandline -ct | string replace -r '^[\\'"]' '' | string replace -a '\\\\' '')
    test -n "$begun"; and set begun --begun=$begun; or set -e begun
    set -l service
    test (count $plain) -gt 2; and set service --service=$plain[3]
    set -l words (commandline -opc)
    set -l at (contains -i -- --socket $words)
    test -n "$at"; and set -lx LVSD_SOCKET $words[(math $at + 1)]
    command $words[1] completion words --words $argv[1] $begun $service 2>/dev/null
end
`
