/** What the commands share that work on a configuration without running it. */

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

/** The configuration and its checks, or the end of the command with everything that is wrong with it. */
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

/** Milliseconds that a command waits for all names together: a silent name server must not hold up the rest. */
const NAMES_PATIENCE = 3000

/** The configuration with its names resolved now, as far as they answer; those that do not resolve are told. */
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
