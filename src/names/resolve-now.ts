/** Resolves the names of a configuration once, for a look at what it would do. */
import type { Config, ResolvedConfig } from '../core/model.js'
import { waitAtMost } from '../util/with-timeout.js'
import { openResolver, type Resolver } from './lookup.js'
import type { LookupRequest, Names } from './lookup-requests.js'
import { NameResolver } from './name-resolver.js'
import type { Doubts } from './unresolved-names.js'

/** Maximum milliseconds for all names together, in case a name server does not respond. */
const PATIENCE = 3000

export interface ResolvedNow {
  readonly config: ResolvedConfig
  readonly doubts: Doubts
  /** A sentence for each name that does not resolve, and for names of the same address. */
  readonly troubles: readonly string[]
  troubleOf(request: LookupRequest): string | null
}

/** `known`: last addresses of names. */
export async function resolveNow(
  config: Config,
  known: Names,
  resolver: Resolver = openResolver(),
): Promise<ResolvedNow> {
  const nothing = () => {}
  const names = new NameResolver({
    resolver,
    journal: { names: known, recordNames: nothing },
    log: { info: nothing, warn: nothing, error: nothing },
    onNews: nothing,
  })
  names.follow(config)
  await waitAtMost(PATIENCE, names.idle())
  const unresolved = names.troubles()
  const resolved = names.resolve(config)
  const troubles = [...unresolved, ...names.clashes]
  names.close()
  resolver.close()
  const doubts = names.doubtsIn(resolved)
  return { config: resolved, doubts, troubles, troubleOf: request => names.troubleOf(request) }
}
