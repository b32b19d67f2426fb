/** Scenarios in which both daemons receive SIGHUP. */
import type { Scenario } from '../scenario.js'
import { site } from '../site.js'

const ONE_SERVER = site({ 'V1 -> R1 masq 5': { service: 'http' } })

export const reloads: readonly Scenario[] = [
  {
    name: 'reload: weights, scheduler, servers',
    site: site({ 'V1 -> R1 masq 5, R2 masq 6': { quiescent: 'yes', service: 'http', scheduler: 'rr' } }),
    steps: [
      { what: 'both start', table: 'V1 rr -> R1 masq 5, R2 masq 6' },
      {
        what: 'another weight for R1, another scheduler, persistence',
        reload: site({
          'V1 -> R1 masq 50, R2 masq 6': {
            quiescent: 'yes',
            service: 'http',
            scheduler: 'wlc',
            persistent: '60',
          },
        }),
        table: 'V1 wlc persistent 60 -> R1 masq 50, R2 masq 6',
      },
      {
        what: 'R3 instead of R2',
        reload: site({
          'V1 -> R1 masq 50, R3 masq 7': { quiescent: 'yes', service: 'http', scheduler: 'wlc' },
        }),
        table: 'V1 wlc -> R1 masq 50, R3 masq 7',
      },
      {
        what: 'R1 is drained, and R3 dies',
        servers: { R3: 'down' },
        reload: site({
          'V1 -> R1 masq 0, R3 masq 7': { quiescent: 'no', service: 'http', scheduler: 'wlc' },
        }),
        table: 'V1 wlc -> R1 masq 0',
      },
    ],
  },
  {
    name: 'reload: virtuals',
    site: ONE_SERVER,
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5' },
      {
        what: 'V2 appears',
        reload: site({
          'V1 -> R1 masq 5': { quiescent: 'no', service: 'http' },
          'V2 -> R1 masq 8': { quiescent: 'no', service: 'http' },
        }),
        table: 'V1 -> R1 masq 5; V2 -> R1 masq 8',
      },
      {
        what: 'V1 goes, and V2 forwards otherwise',
        reload: site({ 'V2 -> R1 gate 8': { quiescent: 'no', service: 'http' } }),
        table: 'V2 -> R1 gate 8',
      },
    ],
  },
  {
    name: 'reload: most servers go',
    site: site({
      'V1 -> R1 masq 5, R2 masq 5, R3 masq 5': { service: 'http' },
      'V2 -> R1 masq 5, R2 masq 5': { service: 'http' },
    }),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5, R2 masq 5, R3 masq 5; V2 -> R1 masq 5, R2 masq 5' },
      {
        what: 'one server is left, by SIGHUP',
        reload: site({ 'V1 -> R3 masq 5': { service: 'http' } }),
        table: 'V1 -> R3 masq 5',
      },
      {
        what: 'quiescent and a fallback appear while it is dead',
        servers: { R3: 'down' },
        reload: site({ 'V1 -> R3 masq 5': { service: 'http', quiescent: 'yes', fallback: 'F:80 masq' } }),
        table: 'V1 -> R3 masq 0, F masq 1',
      },
      { what: 'they go again', reload: site({ 'V1 -> R3 masq 5': { service: 'http' } }), table: 'V1' },
    ],
  },
]

export const brokenReload: readonly Scenario[] = [
  {
    name: 'reload of a broken file',
    site: ONE_SERVER,
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5' },
      {
        what: 'the new file has an error: nothing changes',
        reload: site({ V1: { reel: 'R1:80 masq 6', service: 'http' } }),
        table: 'V1 -> R1 masq 5',
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: 'V1',
        ldirectord: {
          because:
            'after a reload that failed no result of ldirectord has an effect: it has taken over half of the broken file',
          table: 'V1 -> R1 masq 5',
        },
      },
    ],
  },
]
