/** Directors that are real servers of their own services, by direct routing: they can send requests to and fro. */
import { error, type Hazard, type Judgement, ok } from '../finding.js'
import { localAddresses, namesOf, servicesOf } from '../uses.js'

export const realDirector: Hazard = {
  id: 'real-director',
  judge(facts) {
    const { cluster } = facts.site?.config ?? {}
    if (!cluster || cluster.role.from === 'always-active' || facts.machine.addresses === null) return []
    const own = servicesOf(facts).filter(({ reals }) => {
      const gate = reals.filter(({ attributes }) => attributes.forwarding === 'gate')
      const here = gate.filter(({ address }) => address && localAddresses(facts, address).length > 0)
      return here.length > 0 && here.length < gate.length
    })
    if (own.length === 0) return []
    if (cluster.standby.table !== 'same')
      return [ok('a standby that is a real server too does not send requests on')]
    return [loop(namesOf(own))]
  },
}

function loop(services: readonly string[]): Judgement {
  return error(
    'this director is a real server of its own services, and has their table while it is standby',
    'The active director sends a part of the requests here by direct routing, addressed to the virtual address. With its own table, this machine does not answer them: it chooses a server again, often the active director, which does the same. Requests go to and fro, or to servers that the active one has not chosen. cluster: { standby: { table: empty } } on each director removes the services of a standby; a takeover writes them again at once.',
    { services },
  )
}
