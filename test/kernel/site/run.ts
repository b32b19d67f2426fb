/** Runs commands on the director to their end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { DIRECTOR, within } from './namespaces.js'

export interface Ran {
  readonly code: number | null
  /** Output of both streams. */
  readonly output: string
}

export async function runOnDirector(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
  const child = within(DIRECTOR, () => spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env }))
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', chunk => {
      output += chunk
    })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}
