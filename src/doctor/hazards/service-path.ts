/** Checks with `path: service` over IPv4: their answers come from an address of this machine. */
import { kernelServicesOf } from '../../core/kernel-services.js'
import type { ResolvedService } from '../../core/model.js'
import { counted } from '../../util/plural.js'
import type { Facts } from '../facts.js'
import { type Hazard, ok, warning } from '../finding.js'
import { sysctl } from '../sysctl-value.js'
import { isLocal, namesOf } from '../uses.js'

export const servicePath: Hazard = {
  id: 'service-path',
  judge(facts) {
    const services = (facts.site?.config?.services ?? []).filter(service => isConcerned(service, facts))
    if (services.length === 0) return []
    const links = (facts.machine.links ?? []).map(({ name }) => name).filter(name => name !== 'lo')
    const names = ['all', ...links.map(name => name.replaceAll('.', '/'))]
    const values = names.flatMap(name => {
      const value = sysctl(facts, `net.ipv4.conf.${name}.accept_local`)
      return value === undefined || value === null ? [] : [{ name: name.replaceAll('/', '.'), value }]
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
    return [
      warning(
        'the kernel drops the answers to checks with path: service over IPv4',
        'Such a check goes to the virtual address, so its answer comes from there. While this machine holds that address itself, IPv4 takes the answer only where accept_local is 1, for the interface to the real servers or for all. Until then these checks have no verdict. At a first start no server comes into the table: clients are refused. IPv6 needs nothing.',
        { commands: ['sysctl -w net.ipv4.conf.all.accept_local=1'], services: namesOf(services) },
      ),
    ]
  },
}

function isConcerned(service: ResolvedService, facts: Facts): boolean {
  return service.reals.some(
    real =>
      real.attributes.forwarding !== 'masq' &&
      real.checks.some(({ path }) => path === 'service') &&
      kernelServicesOf(service, real).some(
        ({ id }) =>
          id?.kind === 'address' && id.address.family === 'ipv4' && isLocal(facts, id.address) === true,
      ),
  )
}
