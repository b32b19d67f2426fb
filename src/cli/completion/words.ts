/** The names that complete a word: services, real servers, or both as TARGET has them. Pure. */
import type { Named } from '../../overrides/targets.js'

/** Lists are cut here: nobody reads more, and a shell asks before it shows them. */
const MOST = 5000

export type WordSource = 'target' | 'service' | 'real'

/**
 *   source   begun           completed by
 *   service  anything        services, and names that parts of a service share
 *   real     anything        real servers of `service`, or of all
 *   target   without a /     all, services, and each service with a / for its real servers
 *   target   SERVICE/        SERVICE/REAL; without a bracket also the bare IPv6 addresses
 */
export function wordsFor(
  source: WordSource,
  begun: string,
  named: readonly Named[],
  service: string | null = null,
): readonly string[] {
  if (named.length === 0) return []
  return [...new Set(allWords(source, begun, named, service))]
    .filter(word => word.startsWith(begun) && !(word === begun && word.endsWith('/')))
    .slice(0, MOST)
}

function allWords(
  source: WordSource,
  begun: string,
  named: readonly Named[],
  service: string | null,
): string[] {
  if (source === 'service') return named.map(one => one.service)
  if (source === 'real')
    return named
      .filter(one => service === null || one.service === service || one.service.startsWith(`${service}/`))
      .flatMap(({ reals }) => reals.flatMap(real => formsOf(real, begun)))
  const meant = named.filter(one => begun.startsWith(`${one.service}/`))
  // The longest name: names may contain slashes.
  const longest = Math.max(0, ...meant.map(one => one.service.length))
  const reals = meant
    .filter(one => one.service.length === longest)
    .flatMap(one =>
      one.reals.flatMap(real =>
        formsOf(real, begun.slice(longest + 1)).map(form => `${one.service}/${form}`),
      ),
    )
  return ['all', ...named.flatMap(one => [one.service, `${one.service}/`]), ...reals]
}

/** `[fd00::3]:80`; for who begins without a bracket `fd00::3`. */
function formsOf(real: string, begun: string): readonly string[] {
  const [, bare] = /^\[(.*)\]:\d+$/.exec(real) ?? []
  return bare !== undefined && begun !== '' && !begun.startsWith('[') ? [real, bare] : [real]
}
