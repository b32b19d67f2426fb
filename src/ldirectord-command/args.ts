/**
 * Parses the command line of ldirectord as Perl's Getopt::Long does: options, then one or two words; further words are
 * ignored. Commander is not used, because it supports neither two short options (-? and -h) nor an optional word before
 * a required one, and has its own messages and exit codes.
 */

export const COMMANDS = [
  'start',
  'stop',
  'restart',
  'try-restart',
  'reload',
  'force-reload',
  'status',
] as const
export type Command = (typeof COMMANDS)[number]

export type Words =
  | CommandWords
  | { readonly kind: 'help' | 'version' }
  /** `mistake` is a sentence; empty if there are no words. */
  | { readonly kind: 'usage'; readonly mistake: string }

export interface CommandWords {
  readonly kind: 'command'
  readonly command: Command
  readonly debug: boolean
  /** The file as written on the command line, or null. */
  readonly config: string | null
}

const LONG = { '--debug': 'debug', '--help': 'help', '--version': 'version' } as const
const SHORT = { d: 'debug', h: 'help', '?': 'help', v: 'version' } as const
type Option = 'debug' | 'help' | 'version'

/**
 * Parses the words as Getopt::Long does for ldirectord: options first, short ones bundled, long ones not abbreviated.
 */
export function readWords(words: readonly string[]): Words {
  const given = new Set<Option>()
  let at = 0
  for (; at < words.length; at++) {
    const word = words[at] as string
    if (word === '--') {
      at++
      break
    }
    if (!/^-./.test(word)) break
    const options = optionsOf(word)
    if (typeof options === 'string') return { kind: 'usage', mistake: `Unknown option: ${options}` }
    for (const option of options) given.add(option)
  }
  if (given.has('help')) return { kind: 'help' }
  if (given.has('version')) return { kind: 'version' }
  return readArguments(words.slice(at), given.has('debug'))
}

/** Returns the options of one word, or the first unknown option as a string. */
function optionsOf(word: string): Option[] | string {
  if (word.startsWith('--')) {
    const known = Object.entries(LONG).find(([long]) => long === word)
    return known ? [known[1]] : word.slice(2)
  }
  const letters = [...word.slice(1)]
  const stranger = letters.find(letter => !Object.hasOwn(SHORT, letter))
  return stranger ?? letters.map(letter => SHORT[letter as keyof typeof SHORT])
}

function readArguments([first, second]: readonly string[], debug: boolean): Words {
  if (first === undefined) return { kind: 'usage', mistake: '' }
  const [config, word] = second === undefined ? [null, first] : [first, second]
  const command = COMMANDS.find(known => known === word)
  if (!command) return { kind: 'usage', mistake: `${word} is not a command of ldirectord` }
  return { kind: 'command', command, debug, config }
}
