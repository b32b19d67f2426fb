/** Services on marks that are left of checks with `path: service`, of an lvsd that has ended and whose journal is lost. */
import type { Fwmark } from '../../core/model.js'
import { counted } from '../../util/plural.js'
import { type Hazard, type Judgement, note } from '../finding.js'

export const leftServices: Hazard = {
  id: 'left-services',
  judge({ site }) {
    const { certain = [], possible = [] } = site?.leftServices ?? {}
    const found: Judgement[] = []
    if (certain.length > 0)
      found.push(
        note(
          `${counted(certain.length, 'service')} on firewall marks ${certain.length === 1 ? 'is' : 'are'} left of an lvsd that has ended`,
          'They belong to checks with path: service, and the journal does not have them: the state folder was removed. No client uses them. lvsd removes them when it starts.',
          { commands: certain.map(commandFor) },
        ),
      )
    if (possible.length > 0)
      found.push(
        note(
          `${counted(possible.length, 'service')} on firewall marks may be left of an earlier lvsd`,
          'Such a service has the form of those for checks with path: service, but not the signature of lvsd, or not a mark of settings: marks. It may be of another program, so lvsd does not touch it. Remove it if nothing uses it.',
          { commands: possible.map(commandFor) },
        ),
      )
    return found
  },
}

function commandFor({ fwmark, family }: Fwmark): string {
  return `ipvsadm -D -f ${fwmark}${family === 'ipv6' ? ' -6' : ''}`
}
