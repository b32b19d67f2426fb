/** Checks with `path: service` over IPv4: their answers come from an address of this machine. */
import { kernelServicesOf } from '../../core/kernel-services.js'
import type { ResolvedReal, ResolvedService } from '../../core/model.js'
import { counted } from '../../util/plural.js'
import type { Facts } from '../facts.js'
import { type Hazard, type Judgement, ok, warning } from '../finding.js'
import { sysctl } from '../sysctl-value.js'
import { isLocal, namesOf } from '../uses.js'

export const servicePath: Hazard = {
  id: 'service-path',
  judge(facts) {
    const services = (facts.site?.config?.services ?? []).flatMap(service => {
      const reals = service.reals.filter(real => isConcerned(service, real, facts))
      return reals.length > 0 ? [{ ...service, reals }] : []
    })
    if (services.length === 0) return []
    const { pathLinks } = facts.site ?? {}
    return pathLinks ? byLinks(services, pathLinks, facts) : ofAnyLink(services, facts)
  },
}

/** Judges the interfaces to the servers, as the running lvsd does. */
function byLinks(
  services: readonly ResolvedService[],
  pathLinks: ReadonlyMap<string, string>,
  facts: Facts,
): readonly Judgement[] {
  const linksOf = ({ reals }: ResolvedService) =>
    reals.flatMap(({ address }) => (address && pathLinks.get(address.text)) ?? [])
  const links = [...new Set(services.flatMap(linksOf))]
  const refusing = links.filter(link =>
    [link, 'all'].every(name => sysctl(facts, settingOf(name.replaceAll('.', '/'))) === '0'),
  )
  if (links.length === 0) return []
  if (refusing.length === 0)
    return [ok(`IPv4 takes the answers to checks with path: service on ${links.join(', ')}`)]
  const concerned = services.filter(service => linksOf(service).some(link => refusing.includes(link)))
  return [dropped(refusing, concerned)]
}

/** Without knowledge of the interfaces to the servers. */
function ofAnyLink(services: readonly ResolvedService[], facts: Facts): readonly Judgement[] {
  const links = (facts.machine.links ?? []).map(({ name }) => name).filter(name => name !== 'lo')
  const values = ['all', ...links].flatMap(name => {
    const value = sysctl(facts, settingOf(name.replaceAll('.', '/')))
    return value === undefined || value === null ? [] : [{ name, value }]
  })
  if (values.length === 0) return []
  const taking = values.filter(({ value }) => value !== '0').map(({ name }) => name)
  if (taking.includes('all'))
    return [ok('IPv4 takes the answers to checks with path: service on all interfaces')]
  const [first, ...more] = taking
  if (first !== undefined)
    return [
      ok(
        `IPv4 takes the answers to checks with path: service on ${first}${more.length > 0 ? ` and ${counted(more.length, 'other interface')}` : ''} alone`,
      ),
    ]
  return [dropped(['all'], services)]
}

/** `links`: those that are to take the answers. */
function dropped(links: readonly string[], services: readonly ResolvedService[]): Judgement {
  return warning(
    'the kernel drops the answers to checks with path: service over IPv4',
    'Such a check goes to the virtual address, so its answer comes from there. While this machine holds that address itself, IPv4 takes the answer only where accept_local is 1, for the interface to the real servers or for all. Until then these checks have no verdict. At a first start no server comes into the table: clients are refused. IPv6 needs nothing.',
    {
      commands: links.map(link => `sysctl -w ${settingOf(link.replaceAll('.', '/'))}=1`),
      services: namesOf(services),
    },
  )
}

/** `link` with slashes for dots, as sysctls write it. */
function settingOf(link: string): string {
  return `net.ipv4.conf.${link}.accept_local`
}

function isConcerned(service: ResolvedService, real: ResolvedReal, facts: Facts): boolean {
  return (
    real.attributes.forwarding !== 'masq' &&
    real.checks.some(({ path }) => path === 'service') &&
    kernelServicesOf(service, real).some(
      ({ id }) =>
        id?.kind === 'address' && id.address.family === 'ipv4' && isLocal(facts, id.address) === true,
    )
  )
}
