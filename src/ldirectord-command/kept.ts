/** A configuration whose file is gone, of which the one that was accepted last is kept. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { StopMark } from '../accepted/accepted.js'
import { acceptedPath, readAccepted } from '../accepted/store.js'
import { type Directives, directivesOf, NO_DIRECTIVES, readDirectives } from './command-directives.js'
import { candidates, type Env, type Instance, nameOf, stateFolder } from './paths.js'

/**
 * The instance that the words mean although there is no such file; null where nothing is kept, or where somebody has
 * stopped it since this machine was booted: then somebody starts it, and is told that the file is missing.
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

/** The directives of the file, or of what was accepted last where there is none. */
export async function directivesOfInstance({ path }: Instance, env: Env): Promise<Directives> {
  if (existsSync(path)) return readDirectives(path)
  const how = { file: path, build: '', tell: () => {} }
  const accepted = await readAccepted(acceptedPath(stateFolder(env), path), how)
  return accepted ? directivesOf(accepted.text) : NO_DIRECTIVES
}
