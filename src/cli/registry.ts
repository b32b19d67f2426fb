/** Lists the commands: all files in `commands/`. Only the command that runs is imported. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from './command.js'

const FOLDER = join(import.meta.dirname, 'commands')

/** Returns the names of all commands, sorted. */
export function commandNames(): string[] {
  return readdirSync(FOLDER)
    .flatMap(file => /^([a-z-]+)\.(?:ts|js)$/.exec(file)?.[1] ?? [])
    .sort()
}

/** Imports one command; its name must be one of `commandNames`. */
export async function loadCommand(name: string): Promise<Command> {
  return ((await import(`./commands/${name}.js`)) as { command: Command }).command
}
