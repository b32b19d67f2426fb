/** A virtual address as the source of checks: the answers go to whoever holds the address, or back to the server itself. */
import { counted } from '../../util/plural.js'
import type { Facts, Source } from '../facts.js'
import { error, type Hazard, type Judgement, note, ok } from '../finding.js'
import { localAddresses, namesOf, type VirtualSource, virtualSourcesIn } from '../uses.js'

export const source: Hazard = {
  id: 'check-source',
  judge(facts) {
    const { site } = facts
    if (!site?.config || site.sources.size === 0) return []
    const found = [...virtualSources(facts), ...foreign(facts), ...unreachable(site.sources)]
    return found.length > 0 ? found : [ok('no check has a virtual address as its source')]
  },
}

function virtualSources(facts: Facts): readonly Judgement[] {
  const { config, sources } = facts.site ?? {}
  if (!config || !sources) return []
  return virtualSourcesIn(config, sources).map(found => judgeSource(found, facts))
}

function judgeSource({ address, services, servers, bound }: VirtualSource, facts: Facts): Judgement {
  const [local] = localAddresses(facts, address)
  const isIpv6 = address.family === 'ipv6'
  const commands = isIpv6
    ? [`ip address change ${address.text}/128 dev ${local?.link ?? 'INTERFACE'} preferred_lft 0`]
    : [`ip route get ${servers[0]}`, 'ip route change ROUTE src ADDRESS']
  const how = isIpv6
    ? 'An address with preferred_lft 0 serves clients as before, and is not chosen as a source. keepalived and the Pacemaker agent IPaddr2 have an option for it.'
    : 'Let the route to the servers name another address of this machine as its source (src); ip route get shows the route. Or add the virtual address after the own address, with the prefix length 32.'
  if (bound !== null)
    return note(
      `the kernel would choose ${address.text} as source of checks; lvsd binds them to ${bound}`,
      `This concerns checks of ${some(servers)}. Other programs of this machine have the virtual address as their source there. ${how}`,
      { commands, services: namesOf(services) },
    )
  return error(
    `checks of ${counted(servers.length, 'real server')} have the virtual address ${address.text} as source`,
    `The kernel chooses this source for ${some(servers)}. A server with direct routing has the same address itself, so its answers never arrive, and all checks of it fail; where another director takes over the address, the answers go to that one. If this machine has no other address for these servers, add one. ${how}`,
    { commands, services: namesOf(services) },
  )
}

/** Sources in the configuration that this machine does not have. */
function foreign(facts: Facts): readonly Judgement[] {
  const { config } = facts.site ?? {}
  if (!config || facts.machine.addresses === null) return []
  const services = new Map<string, Set<string>>()
  for (const { name, reals } of config.services)
    for (const { source } of reals.flatMap(({ checks }) => checks))
      if (source && source !== 'kernel' && localAddresses(facts, source).length === 0)
        services.set(source.text, (services.get(source.text) ?? new Set()).add(name))
  return [...services].map(([text, names]) =>
    error(
      `${text}, the source of checks, is not an address of this machine`,
      'The checks have no verdict, so their servers keep the state that they have.',
      { commands: [`ip address add ${text}/PREFIX dev INTERFACE`], services: [...names] },
    ),
  )
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
