/** What a word on the command line means: services and real servers of the running lvsd. */
import { fetchTargets } from '../api/client.js'
import { type Named, type NamedTarget, type Scope, TargetError, targetsNamed } from '../overrides/targets.js'
import { askDaemon } from './ask-daemon.js'
import { usageError } from './parse.js'

/** Returns the exact names of what the word means. Throws a usage error with the candidates if that is unclear. */
export async function namedTargets(
  socket: string,
  word: string,
  command: string,
  scope?: Scope,
): Promise<readonly NamedTarget[]> {
  return meaningOf(word, await askDaemon(fetchTargets(socket)), command, scope)
}

export function meaningOf(
  word: string,
  named: readonly Named[],
  command: string,
  scope?: Scope,
): readonly NamedTarget[] {
  try {
    return targetsNamed(word, named, scope)
  } catch (error) {
    if (!(error instanceof TargetError)) throw error
    throw usageError(error.message, command)
  }
}
