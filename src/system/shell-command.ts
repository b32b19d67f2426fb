/**
 * Lists the programs in a shell command line, as far as they are known without running it: the first word of each
 * simple command. Words with expansions (variables, substitutions, patterns) are skipped.
 */
import { accessSync, constants } from 'node:fs'
import { isAbsolute } from 'node:path'
import { locateFile } from './find-program.js'
import { trustedPath, UntrustedPath } from './trusted-path.js'

/** Characters that make the shell expand a word. */
const WORKED_OUT = /[$`*?[\]~{}#<>!]/
/** Words after which another command begins. */
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
  /** False if the shell expands the word. */
  readonly isPlain: boolean
  /** The character after the word that ends the command, or a space. */
  readonly end: string
}

/** Returns the programs of a line: `/a/b` for `X=1 /a/b c && "/a/b" d`. */
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

/** Splits a line into words and removes quotes. An unterminated quote is left to the shell to report. */
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

/** Returns a sentence if another user could change a program in the line, which must then not run; else null. */
export function whyNotShell(commandLine: string, path: string): string | null {
  for (const program of programsOf(commandLine)) {
    try {
      const place = placeOf(program, path)
      if (place !== null) trustedPath(place)
    } catch (error) {
      if (error instanceof UntrustedPath) return error.message
      // The shell reports a program that does not exist.
    }
  }
  return null
}

/** Like `whyNotShell`, for validation: also reports paths that do not exist. Programs given by name are not checked. */
export function whyUnavailable(commandLine: string): string | null {
  for (const program of programsOf(commandLine)) {
    // The shell itself interprets a file that the kernel does not execute.
    const found = program.includes('/') ? locateFile(program, constants.X_OK) : null
    if (found && 'why' in found) return found.why
  }
  return null
}

/** Returns null if there is no file, as for builtins of the shell. Relative folders in PATH start at /, where hooks run. */
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
