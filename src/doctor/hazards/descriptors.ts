/** The limit of open descriptors, of which each check under way takes one; pings share a few. */
import type { ResolvedConfig } from '../../core/model.js'
import type { RedisSettings } from '../../core/redis-settings.js'
import { error, type Hazard, notKnown, ok } from '../finding.js'

/** What lvsd has open beside its checks: logs, journal, netlink, workers, clients of the control socket. */
const OWN = 150
/** Sockets of all pings: one for each family, and for each source to which they are bound. */
const PINGS = 8
/** Sockets of netlink for `connectivity`, and the file that it writes. */
const CONNECTIVITY = 4
/** Connections to each address of Redis or Sentinel: for commands and for what is published, and new ones beside old. */
const REDIS = 4

export const descriptors: Hazard = {
  id: 'descriptors',
  judge({ site, machine }) {
    if (!site?.config) return []
    const { descriptors: limit, isDaemon } = machine.process
    const who = isDaemon ? 'lvsd' : 'this user'
    if (limit === null) return [notKnown(`the descriptor limit of ${who} is not known`, 'It cannot be read.')]
    const { concurrency } = site.config.settings
    const atOnce = Math.min(concurrency, site.checks - site.pings)
    const own = ownOf(site.config, site.pings)
    if (limit >= atOnce + own)
      return [ok(`${who} may open ${limit} descriptors, enough for ${atOnce} checks at once`)]
    return [
      error(
        `${who} may open only ${limit} descriptors, too few for ${atOnce} checks at once`,
        `Each check under way takes a descriptor, and lvsd itself up to ${own}. Checks that get none give no verdict, so servers that fail stay in the table. lvsd.service allows 65536; a start by hand has the limit of its shell.`,
        { commands: [`ulimit -n ${atOnce + own}`] },
      ),
    ]
  },
}

/** Returns what lvsd has open beside its checks. */
function ownOf({ cluster }: ResolvedConfig, pings: number): number {
  const { connectivity = null, redis = null } = cluster ?? {}
  const isPinging = pings > 0 || connectivity !== null
  return (
    OWN +
    (isPinging ? PINGS : 0) +
    (connectivity ? CONNECTIVITY : 0) +
    (redis ? REDIS * (1 + nodesOf(redis)) : 0)
  )
}

/** The number of addresses beside the first one. */
function nodesOf({ sentinels, cluster }: RedisSettings): number {
  return sentinels?.addresses.length ?? cluster?.length ?? 0
}
