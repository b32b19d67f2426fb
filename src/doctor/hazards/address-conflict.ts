/** Another machine that answers ARP or neighbour solicitations for a virtual address of this one. */
import { conflictText } from '../../core/address-conflict.js'
import { type Hazard, type Judgement, note, notKnown, ok, warning } from '../finding.js'

export const addressConflict: Hazard = {
  id: 'address-conflict',
  judge({ site }): readonly Judgement[] {
    const { conflicts } = site ?? {}
    if (!conflicts) return []
    const { asked, unasked, found, refusal } = conflicts
    const warnings = found.map(({ services, ...answer }) =>
      warning(
        `${answer.who.real ?? answer.hardware} answers for ${answer.address.text} too, on ${answer.interface}`,
        `Now ${conflictText(answer)}. Clients, or the router before them, may keep the hardware address of either machine; those that go past are not balanced, and get nothing once the other machine fails. Checks do not see it.`,
        { services },
      ),
    )
    const rest =
      unasked === 0
        ? []
        : [
            note(
              `doctor has not asked about ${unasked} of the virtual addresses`,
              'It asks about 250, the first of the configuration, because each takes 20 ms. The running lvsd asks about all, unless conflict-check is none, and tells of a conflict by the event address.conflict.',
            ),
          ]
    if (warnings.length > 0) return [...warnings, ...rest]
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
          ...rest,
        ]
      : rest
  },
}
