/** Another machine that answers ARP or neighbour solicitations for a virtual address of this one. */
import { conflictText } from '../../core/address-conflict.js'
import { type Hazard, type Judgement, notKnown, ok, warning } from '../finding.js'

export const addressConflict: Hazard = {
  id: 'address-conflict',
  judge({ site }): readonly Judgement[] {
    const { conflicts } = site ?? {}
    if (!conflicts) return []
    const { asked, found, refusal } = conflicts
    const warnings = found.map(({ services, ...answer }) =>
      warning(
        `${answer.who.real ?? answer.hardware} answers for ${answer.address.text} too, on ${answer.interface}`,
        `Now ${conflictText(answer)}. Clients, or the router before them, may keep the hardware address of either machine; those that go past are not balanced, and get nothing once the other machine fails. Checks do not see it.`,
        { services },
      ),
    )
    if (warnings.length > 0) return warnings
    if (refusal !== null)
      return [
        notKnown(
          'whether another machine answers for the virtual addresses is not known',
          `It cannot be asked (${refusal}). As root doctor asks by ARP and neighbour solicitations.`,
        ),
      ]
    return asked > 0
      ? [
          ok(
            `no other machine answers for the virtual addresses on Ethernet interfaces (${asked} asked about)`,
          ),
        ]
      : []
  },
}
