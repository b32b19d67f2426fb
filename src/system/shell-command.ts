/**
 * The programs that a line of the shell names, as far as they can be seen without running it: the first word of each
 * simple command. What the shell works out first (variables, substitutions, patterns) is passed over.
 */
import { accessSync, constants } from 'node:fs'
import { isAbsolute } from 'node:path'
import { locateFile } from './find-program.js'
import { trustedPath, UntrustedPath } from './trusted-path.js'

/** Signs that make a word something else than its text. */
const WORKED_OUT = /[$`*?[\]~{}#<>!]/
/** Words behind which another command begins. */
const PREFIXES = new Set([
  'exec',
  'command',
  'if',
  'then',
  'else',
  'elif',
  'while',
  'until',
  'do',
  'time',
  '!',
])

interface Word {
  readonly text: string
  /** False where the shell works out what it is. */
  readonly isPlain: boolean
  /** What stands behind it and ends the command, or the blank. */
  readonly end: string
}

/** `/a/b` of `X=1 /a/b c && "/a/b" d`. */
export function programsOf(commandLine: string): readonly string[] {
  const programs = new Set<string>()
  let isFirst = true
  for (const { text, isPlain, end } of words(commandLine)) {
    if (isFirst && text !== '' && !/^\w+=/.test(text) && !PREFIXES.has(text)) {
      if (isPlain) programs.add(text)
      isFirst = false
    }
    if (end !== ' ') isFirst = true
  }
  return [...programs]
}

/** Words with the quotes taken off. A quote without its end is the shell's to tell. */
function* words(line: string): Generator<Word> {
  const part = /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([;&|\n()])|([ \t]+)|([\s\S])/gy
  let text = ''
  let isPlain = true
  for (const [, single, double, escaped, end, blank, bare] of line.matchAll(part)) {
    if (end !== undefined || blank !== undefined) {
      yield { text, isPlain, end: end ?? ' ' }
      text = ''
      isPlain = true
      continue
    }
    text += single ?? double ?? escaped ?? bare ?? ''
    if (WORKED_OUT.test(bare ?? '') || /[$`\\]/.test(double ?? '')) isPlain = false
  }
  yield { text, isPlain, end: '\n' }
}

/** Why a line must not go to the shell: somebody else could change a program that it names. Null where nobody could. */
export function whyNotShell(commandLine: string, path: string): string | null {
  for (const program of programsOf(commandLine)) {
    try {
      const place = placeOf(program, path)
      if (place !== null) trustedPath(place)
    } catch (error) {
      if (error instanceof UntrustedPath) return error.message
      // What is not there the shell says itself.
    }
  }
  return null
}

/** The same for the reader of a configuration, who is told of paths that lead nowhere too. Names are not looked up. */
export function whyUnavailable(commandLine: string): string | null {
  for (const program of programsOf(commandLine)) {
    // The shell itself reads what the kernel does not execute.
    const found = program.includes('/') ? locateFile(program, constants.X_OK) : null
    if (found && 'why' in found) return found.why
  }
  return null
}

/** Null for what is no file: the shell's own words. Relative folders of a PATH begin at /, where hooks run. */
function placeOf(program: string, path: string): string | null {
  if (isAbsolute(program)) return program
  if (program.includes('/')) return `/${program}`
  const places = path
    .split(':')
    .map(folder => (isAbsolute(folder) ? `${folder}/${program}` : `/${folder}/${program}`))
  return places.find(isExecutable) ?? null
}

function isExecutable(place: string): boolean {
  try {
    accessSync(place, constants.X_OK)
    return true
  } catch {
    return false
  }
}
