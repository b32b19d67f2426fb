/** Lists the commands: all files in `commands/`. Only the command that runs is imported. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from './command.js'

const FOLDER = join(import.meta.dirname, 'commands')
/** `.ts` in the sources, `.js` in a build. */
const ENDING = extname(import.meta.filename)
const FILE = /^([a-z-]+)\.(?:ts|js)$/

/** Returns the names of all commands, sorted. */
export function commandNames(): string[] {
  return readdirSync(FOLDER)
    .flatMap(file => FILE.exec(file)?.[1] ?? [])
    .sort()
}

/** Imports one command; its name must be one of `commandNames`. */
export async function loadCommand(name: string): Promise<Command> {
  const module = pathToFileURL(pathOf(name)).href
  return ((await import(module)) as { command: Command }).command
}

/**
 * Returns all commands as the general help lists them. The summaries are read from the text of the files, because the
 * import of all commands takes ten times as long as the rest of the help. A file without one on a line is imported.
 */
export function summaries(): Promise<readonly Pick<Command, 'name' | 'summary'>[]> {
  return Promise.all(
    commandNames().map(async name => ({
      name,
      summary: summaryIn(readFileSync(pathOf(name), 'utf8')) ?? (await loadCommand(name)).summary,
    })),
  )
}

function pathOf(name: string): string {
  return join(FOLDER, `${name}${ENDING}`)
}

/** Returns the summary that the text of a command states, or null. */
export function summaryIn(text: string): string | null {
  return /^\s+summary: '([^'\\]+)',$/m.exec(text)?.[1] ?? null
}
