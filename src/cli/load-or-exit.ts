/** Shared by the commands that work on a configuration without running it. */

import { type Loaded, loadConfig } from '../config/load.js'
import { hasErrors } from '../config/problems/problem.js'
import { renderProblems } from '../config/problems/render-problem.js'
import type { Config, ResolvedConfig } from '../core/model.js'
import { openResolver, type Resolver } from '../names/lookup.js'
import type { LookupRequest, Names } from '../names/lookup-requests.js'
import { NameResolver } from '../names/name-resolver.js'
import type { Doubts } from '../names/unresolved-names.js'
import { waitAtMost } from '../util/with-timeout.js'
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

/** Maximum milliseconds that a command waits for all names together, in case a name server does not respond. */
const NAMES_PATIENCE = 3000

/** Returns the configuration with its names resolved now. Prints a warning for each name that does not resolve. */
export async function resolveNow(
  config: Config,
  known: Names,
  { warn }: Rims,
  resolver: Resolver = openResolver(),
): Promise<{
  readonly config: ResolvedConfig
  readonly doubts: Doubts
  troubleOf(request: LookupRequest): string | null
}> {
  const nothing = () => {}
  const journal = { names: known, recordNames: nothing }
  const names = new NameResolver({
    resolver,
    journal,
    log: { info: nothing, warn: nothing, error: nothing },
    onNews: nothing,
  })
  names.follow(config)
  await waitAtMost(NAMES_PATIENCE, names.idle())
  for (const trouble of names.troubles()) warn(`lvsd: ${trouble}`)
  const resolved = names.resolve(config)
  for (const clash of names.clashes) warn(`lvsd: ${clash}`)
  names.close()
  resolver.close()
  const doubts = names.doubtsIn(resolved)
  return { config: resolved, doubts, troubleOf: request => names.troubleOf(request) }
}
