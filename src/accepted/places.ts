/** Where the last accepted configuration of a file may lie, although the file itself cannot say so any more. */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { acceptedPath, writeDurably } from './store.js'

/** The state folder where no configuration names another. */
export const DEFAULT_STATE = '/var/lib/lvsd'

export interface Place {
  readonly file: string
  /** As the command line says, or null. */
  readonly state: string | null
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Folders in the order in which they are tried. `text`: what stands in the file now, broken as it is. */
export async function stateFolders({ file, state, env }: Place, text: string): Promise<string[]> {
  if (state !== null) return [state]
  const home = homeOf(env)
  const pointed = await readFile(pointerPath(home, file), 'utf8').then(
    line => [line.trim()],
    () => [],
  )
  const written = statesIn(text).map(folder => resolve(dirname(file), folder))
  return [...new Set([...written, ...pointed, home])]
}

/** Values of `state:` in a text that need not be YAML any more. */
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

/** For a file that is empty or gone later: it would not say where its state folder was. */
export async function writePointer({ file, env }: Place, state: string): Promise<void> {
  const home = homeOf(env)
  if (resolve(state) === home) return
  await mkdir(home, { recursive: true, mode: 0o755 })
  await writeDurably(pointerPath(home, file), `${resolve(state)}\n`)
}

function pointerPath(home: string, file: string): string {
  return join(home, acceptedPath('', file).replace(/\.json$/, '.place'))
}

/** systemd names the folder that it has made (StateDirectory=). */
function homeOf(env: Place['env']): string {
  return resolve(env.STATE_DIRECTORY?.split(':')[0] || DEFAULT_STATE)
}
