/** Fallback servers. */
import type { Scenario } from '../scenario.js'
import { site } from '../site.js'

export const fallbacks: readonly Scenario[] = [
  {
    name: 'the fallback of a virtual, in and out',
    before: '',
    site: site({ 'V1 -> R1 masq 5': { quiescent: 'no', service: 'http', fallback: 'F:80 masq' } }),
    steps: [
      { what: 'both start while R1 is dead', servers: { R1: 'down' }, table: 'V1 -> F masq 1' },
      { what: 'R1 comes', servers: { R1: 'up' }, table: 'V1 -> R1 masq 5' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1 -> F masq 1' },
    ],
  },
  {
    name: 'a firewall mark with a fallback of its own',
    site: site({ 'M1 -> R1 gate 2': { quiescent: 'no', service: 'http', fallback: 'F:80 gate' } }),
    steps: [
      { what: 'both start', table: 'M1 -> R1 gate 2' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'M1 -> F gate 1' },
      { what: 'R1 is back', servers: { R1: 'up' }, table: 'M1 -> R1 gate 2' },
    ],
  },
  {
    name: 'servers of weight 0 that are up keep the fallback out',
    before: '',
    site: site({
      'V1 -> R1 masq 0, R2 masq 0': { quiescent: 'yes', service: 'http', fallback: 'F:80 masq' },
    }),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 0, R2 masq 0' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1 -> R1 masq 0, R2 masq 0' },
      { what: 'R2 dies too', servers: { R2: 'down' }, table: 'V1 -> R1 masq 0, R2 masq 0, F masq 1' },
      { what: 'R1 is back', servers: { R1: 'up' }, table: 'V1 -> R1 masq 0, R2 masq 0' },
    ],
  },
]
