/** Finds the state folder of a configuration file that cannot be read any more. */
import { rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { writeDurably } from '../storage/durable-file.js'
import { readText } from '../storage/state-text.js'
import { makeFolder } from '../system/make-folder.js'
import { homeOf, pointerPath } from './accepted-path.js'

export interface Place {
  readonly file: string
  /** State folder from the command line, or null. */
  readonly state: string | null
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Returns the folders to try, in order: first that of the last accepted configuration, as it is recorded. `text` is the present
 * content of the file, which may be broken: what it says counts where nothing is recorded.
 */
export async function stateFolders({ file, state, env }: Place, text: string): Promise<string[]> {
  if (state !== null) return [state]
  const home = homeOf(env)
  const pointed = await readText(pointerPath(home, file)).then(
    line => (line === null ? [] : [line.trim()]),
    () => [],
  )
  const written = statesIn(text).map(folder => resolve(dirname(file), folder))
  return [...new Set([...pointed, home, ...written])]
}

/** Returns the values of `state:` in a text, which need not be valid YAML. */
function statesIn(text: string): string[] {
  return text.split('\n').flatMap(line => {
    const at = line.indexOf('state')
    if (at < 0 || line.length > LONGEST_LINE) return []
    const [, value = ''] =
      /^state["']?[ \t]{0,9}[:=][ \t]{0,9}["']?([^\s"',}#]{1,1000})/.exec(line.slice(at)) ?? []
    return value.startsWith('/') || value.startsWith('.') ? [value] : []
  })
}

const LONGEST_LINE = 10_000

/** Records the state folder of a file, for the case that the file is later empty or missing. None is recorded for the usual one. */
export async function writePointer({ file, env }: Place, state: string): Promise<void> {
  const home = homeOf(env)
  if (resolve(state) === home) return rm(pointerPath(home, file), { force: true })
  await makeFolder(home, 0o755)
  await writeDurably(pointerPath(home, file), `${resolve(state)}\n`)
}
