/** Finds the last accepted configuration of a file that does not exist any more. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { StopMark } from '../accepted/accepted.js'
import { acceptedPath } from '../accepted/accepted-path.js'
import { readAccepted } from '../accepted/store.js'
import { type Directives, directivesOf, NO_DIRECTIVES, readDirectives } from './command-directives.js'
import { candidates, type Env, type Instance, nameOf, stateFolder } from './paths.js'

/**
 * Returns the instance for a file that does not exist. Null if no configuration is kept, or if the daemon was stopped on
 * request since the machine was booted: an operator then starts it, and must see that the file is missing.
 */
export async function findKept(config: string | null, env: Env): Promise<Instance | null> {
  for (const file of candidates(config, env)) {
    const path = resolve(file)
    const isKept = existsSync(acceptedPath(stateFolder(env), path))
    if (isKept && !(await new StopMark(stateFolder(env), path).isSet()))
      return { name: nameOf(config), file, path }
  }
  return null
}

/** Returns the directives of the file or, if it does not exist, of the last accepted configuration. */
export async function directivesOfInstance({ path }: Instance, env: Env): Promise<Directives> {
  if (existsSync(path)) return readDirectives(path)
  const how = { file: path, build: '', tell: () => {} }
  const accepted = await readAccepted(acceptedPath(stateFolder(env), path), how)
  return accepted ? directivesOf(accepted.text) : NO_DIRECTIVES
}
