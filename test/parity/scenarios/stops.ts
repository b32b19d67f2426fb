/** Scenarios in which both daemons receive SIGTERM. */
import type { Scenario } from '../scenario.js'
import { site } from '../site.js'

export const stops: readonly Scenario[] = [
  {
    name: 'a table that is there already',
    before: `
      -A -t V1:80 -s rr
      -a -t V1:80 -r R1:80 -m -w 3
      -a -t V1:80 -r R2:80 -m -w 0
      -a -t V1:80 -r R3:80 -m -w 9
      -A -t V3:80 -s rr
      -a -t V3:80 -r R3:80 -m -w 1`,
    site: site({ 'V1 -> R1 masq 5, R2 masq 7': { quiescent: 'yes', service: 'http', scheduler: 'wlc' } }),
    steps: [
      {
        what: 'both start: what is theirs is put right, what is not stays',
        table: 'V1 wlc -> R1 masq 5, R2 masq 7; V3 rr -> R3 masq 1',
      },
      { what: 'both get SIGTERM', stop: true, table: 'V3 rr -> R3 masq 1' },
    ],
  },
  {
    name: 'stop without cleanstop',
    site: site({
      'V1 -> R1 masq 5, R2 masq 6': { quiescent: 'yes', cleanstop: 'no', service: 'http' },
      'V2 -> R1 masq 5': { quiescent: 'yes', cleanstop: ['no', 'yes'], service: 'http' },
    }),
    steps: [
      {
        what: 'both start, while R2 is dead',
        servers: { R2: 'down' },
        table: 'V1 -> R1 masq 5, R2 masq 0; V2 -> R1 masq 5',
      },
      { what: 'both get SIGTERM: V2 alone is cleaned up', stop: true, table: 'V1 -> R1 masq 5, R2 masq 0' },
    ],
  },
  {
    name: 'stop with cleanstop, the default',
    site: site({
      'V1 -> R1 masq 5': { service: 'http' },
      'V2 -> R1 masq 5': { service: 'http', cleanstop: 'no' },
    }),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5; V2 -> R1 masq 5' },
      { what: 'both get SIGTERM: V2 alone stays', stop: true, table: 'V2 -> R1 masq 5' },
    ],
  },
]
