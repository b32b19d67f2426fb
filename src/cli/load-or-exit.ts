/** Shared by the commands that work on a configuration without running it. */

import { type Loaded, loadConfig } from '../config/load.js'
import { hasErrors } from '../config/problems/problem.js'
import { renderProblems } from '../config/problems/render-problem.js'
import type { Config } from '../core/model.js'
import { openResolver, type Resolver } from '../names/lookup.js'
import type { Names } from '../names/lookup-requests.js'
import { type ResolvedNow, resolveNow as resolve } from '../names/resolve-now.js'
import { type CommandContext, CommandError, EXIT } from './command.js'

type Rims = Pick<CommandContext, 'warn' | 'screen'>

/** Returns the configuration and its checks. If it has errors, prints all problems and throws a CommandError. */
export async function loadConfigOrExit(
  file: string,
  { warn, screen }: Rims,
): Promise<Loaded & { readonly config: Config }> {
  const loaded = await loadConfig(file)
  const { config } = loaded
  if (config !== null && !hasErrors(loaded.problems)) return { ...loaded, config }
  warn(renderProblems(loaded, { colour: screen.colour }))
  throw new CommandError(`${file} cannot run; nothing was done`, EXIT.problem)
}

/** Returns the configuration with its names resolved now. Prints a warning for each name that does not resolve. */
export async function resolveNow(
  config: Config,
  known: Names,
  { warn }: Rims,
  resolver: Resolver = openResolver(),
): Promise<ResolvedNow> {
  const resolved = await resolve(config, known, resolver)
  for (const trouble of resolved.troubles) warn(`lvsd: ${trouble}`)
  return resolved
}
