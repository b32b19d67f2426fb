/** The limit of open descriptors, of which each check under way takes one. */
import { error, type Hazard, notKnown, ok } from '../finding.js'

/** What lvsd has open beside its checks: logs, journal, netlink, workers, clients of the control socket. */
const OWN = 150

export const descriptors: Hazard = {
  id: 'descriptors',
  judge({ site, machine }) {
    if (!site?.config) return []
    const { descriptors: limit, isDaemon } = machine.process
    const who = isDaemon ? 'lvsd' : 'this user'
    if (limit === null) return [notKnown(`the descriptor limit of ${who} is not known`, 'It cannot be read.')]
    const { concurrency } = site.config.settings
    const atOnce = Math.min(concurrency, site.checks)
    if (limit >= atOnce + OWN)
      return [ok(`${who} may open ${limit} descriptors, enough for ${atOnce} checks at once`)]
    return [
      error(
        `${who} may open only ${limit} descriptors, too few for ${atOnce} checks at once`,
        `Each check under way takes a descriptor, and lvsd itself up to ${OWN}. Checks that get none give no verdict, so servers that fail stay in the table. lvsd.service allows 65536; a start by hand has the limit of its shell.`,
        { commands: [`ulimit -n ${atOnce + OWN}`] },
      ),
    ]
  },
}
