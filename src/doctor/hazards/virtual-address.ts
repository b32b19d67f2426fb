/** Virtual addresses: on this machine or not, and whether IPv6 has accepted them. */
import type { ResolvedService } from '../../core/model.js'
import type { Facts, LocalAddress } from '../facts.js'
import { error, type Hazard, type Judgement, note, notKnown, ok, warning } from '../finding.js'
import { isLocal, localAddresses, namesOf, type VirtualAddress, virtualAddresses } from '../uses.js'

export const virtualAddress: Hazard = {
  id: 'virtual-address',
  judge(facts) {
    const { config } = facts.site ?? {}
    const all = config ? virtualAddresses(config) : []
    const placed = all.map(virtual => ({ virtual, isHere: isLocal(facts, virtual.address) }))
    const those = (wanted: boolean | null) =>
      placed.flatMap(({ virtual, isHere }) => (isHere === wanted ? virtual : []))
    const [here, missing, doubtful] = [those(true), those(false), those(null)] as const
    const refused = here.flatMap(({ address, services }) =>
      localAddresses(facts, address).flatMap(local => duplicate(local, services)),
    )
    return [
      ...refused,
      ...(missing.length > 0 ? [absent(missing, facts)] : []),
      ...(doubtful.length > 0
        ? [
            notKnown(
              `${some(doubtful)}: on this machine or not is not known`,
              'Its addresses cannot be read.',
            ),
          ]
        : []),
      ...(all.length > 0 && here.length === all.length && refused.length === 0
        ? [ok('all virtual addresses are addresses of this machine')]
        : []),
    ]
  },
}

type Virtuals = readonly VirtualAddress[]

const MOST_NAMED = 3

function some(virtuals: Virtuals): string {
  const more = virtuals.length - MOST_NAMED
  const names = virtuals.slice(0, MOST_NAMED).map(({ address }) => address.text)
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function absent(virtuals: Virtuals, facts: Facts): Judgement {
  const mover = facts.machine.programs?.find(({ name }) => name !== 'ldirectord' && name !== 'kube-proxy')
  const title =
    virtuals.length === 1
      ? `${some(virtuals)} is not an address of this machine`
      : `${some(virtuals)} are not addresses of this machine`
  const needed =
    'IPVS takes only packets that arrive for an address of this machine, so clients reach nothing here.'
  const services = [...new Set(virtuals.flatMap(virtual => namesOf(virtual.services)))]
  if (mover)
    return note(
      title,
      `${needed} ${mover.name} runs here (pid ${mover.pid}): if it moves the addresses, this machine is the standby now, and all is well.`,
      { services },
    )
  return warning(
    title,
    `${needed} Nothing that moves addresses (keepalived, Pacemaker) runs here. On a standby director this is right; else add each address to the interface of the clients.`,
    {
      services,
      commands: virtuals
        .slice(0, MOST_NAMED)
        .map(
          ({ address }) =>
            `ip address add ${address.text}/${address.family === 'ipv6' ? 128 : 32} dev INTERFACE`,
        ),
    },
  )
}

/** Judges the duplicate address detection of IPv6. */
function duplicate(local: LocalAddress, services: readonly ResolvedService[]): readonly Judgement[] {
  const { text, link } = local
  if (local.isDadFailed)
    return [
      error(
        `${text} on ${link} is refused: another machine has it (dadfailed)`,
        'When the address was added, another machine answered for it, so the kernel does not use it, and goes on so for good. With direct routing the other one is often a real server that has the address on an interface other than lo. Find it, or add the address without duplicate address detection (nodad).',
        {
          services: namesOf(services),
          commands: [
            `ip address del ${text}/128 dev ${link}`,
            `ip address add ${text}/128 dev ${link} nodad`,
          ],
        },
      ),
    ]
  if (local.isTentative)
    return [
      warning(
        `${text} on ${link} is tentative`,
        'The kernel still asks whether another machine has the address, and does not answer for it. This takes a second or two. If it lasts, the interface has no carrier, or duplicate address detection cannot end.',
        {
          services: namesOf(services),
          commands: [
            `ip address del ${text}/128 dev ${link}`,
            `ip address add ${text}/128 dev ${link} nodad`,
          ],
        },
      ),
    ]
  return []
}
