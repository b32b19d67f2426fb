/** A virtual address as the source of checks: the answers go to whoever holds the address, or back to the server itself. */
import { counted } from '../../util/plural.js'
import type { Facts, Source } from '../facts.js'
import { error, type Hazard, type Judgement, ok } from '../finding.js'
import { localAddresses, namesOf, virtualAddresses, withoutZone } from '../uses.js'

export const source: Hazard = {
  id: 'check-source',
  judge(facts) {
    const { site } = facts
    if (!site?.config || site.sources.size === 0) return []
    const found = [...virtualSources(facts), ...unreachable(site.sources)]
    return found.length > 0 ? found : [ok('no check has a virtual address as its source')]
  },
}

function virtualSources(facts: Facts): readonly Judgement[] {
  const { config, sources } = facts.site ?? {}
  if (!config || !sources) return []
  return virtualAddresses(config).flatMap(({ address, services }) => {
    const checked = [...sources].flatMap(([server, chosen]) =>
      'address' in chosen && chosen.address === withoutZone(address.text) && server !== address.text
        ? server
        : [],
    )
    if (checked.length === 0) return []
    const [local] = localAddresses(facts, address)
    const link = local?.link ?? 'INTERFACE'
    const prefix = address.family === 'ipv6' ? 128 : 32
    const mend =
      address.family === 'ipv6'
        ? [`ip address change ${address.text}/${prefix} dev ${link} preferred_lft 0`]
        : [`ip route get ${checked[0]}`, `ip route change ROUTE src ADDRESS`]
    const how =
      address.family === 'ipv6'
        ? 'An address with preferred_lft 0 serves clients as before, and is not chosen as a source. keepalived has preferred_lft 0 too; of the Pacemaker agent IPaddr2 it is the option lvs_ipv6_addrlabel or preferred_lft.'
        : 'Let the route to the servers name another address of this machine as its source (src); ip route get shows the route. Or add the virtual address after the own address, with the prefix length 32.'
    return [
      error(
        `checks of ${counted(checked.length, 'real server')} have the virtual address ${address.text} as source`,
        `The kernel chooses this source for ${some(checked)}. A server with direct routing has the same address itself, so its answers never arrive, and all checks of it fail; on a standby director the answers go to the active one. ${how}`,
        { commands: mend, services: namesOf(services) },
      ),
    ]
  })
}

function unreachable(sources: ReadonlyMap<string, Source>): readonly Judgement[] {
  const lost = [...sources].flatMap(([server, chosen]) =>
    'refusal' in chosen ? [{ server, ...chosen }] : [],
  )
  const refusals = [...new Set(lost.map(({ refusal }) => refusal))]
  return refusals.map(refusal => {
    const servers = lost.filter(each => each.refusal === refusal).map(({ server }) => server)
    return error(
      `${counted(servers.length, 'server')} cannot be reached from here: ${refusal}`,
      `The kernel has no route or no source address for ${some(servers)}. Their checks fail.`,
      { commands: [`ip route get ${servers[0]}`] },
    )
  })
}

const MOST_NAMED = 5

function some(names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
