/** Global directives: a fallback for all services, maintenance, readdquiescent. */
import type { Scenario } from '../scenario.js'
import { site } from '../site.js'

/** Scenarios with the global line `fallback=G:80 masq` and a maintenancedir. */
export const withGlobals: readonly Scenario[] = [
  {
    name: 'the global fallback, and one of a virtual before it, quiescent',
    site: site(
      {
        'V1 -> R1 masq 5': { quiescent: 'yes', checktype: 'connect' },
        'V2 -> R1 masq 5': { quiescent: 'yes', checktype: 'connect', fallback: '{[::1]|127.0.0.1}:80 gate' },
      },
      'tcp 80',
    ),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5; V2 -> R1 masq 5' },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: 'V1 -> R1 masq 0, G masq 1; V2 -> R1 masq 0, {[::1]|127.0.0.1}:80 gate 1',
      },
      { what: 'R1 is back', servers: { R1: 'up' }, table: 'V1 -> R1 masq 5; V2 -> R1 masq 5' },
    ],
  },
  {
    name: 'a firewall mark and the global fallback',
    site: site({ 'M1 -> R1 masq': { quiescent: 'no', service: 'http' } }),
    steps: [
      { what: 'both start', table: 'M1 -> R1 masq 1' },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: 'M1 -> G masq 1',
        ldirectord: {
          because:
            'ldirectord hands ipvsadm an empty address where the global fallback is that of a firewall mark',
          table: 'M1',
        },
      },
    ],
  },
  {
    name: 'maintenance files',
    site: site({ 'V1 -> R1 masq 5, R2 masq 6': { quiescent: 'yes', service: 'http' } }),
    steps: [
      {
        what: 'both start; R2 has a file with its port',
        files: { 'maintenance/R2:80': 'by night' },
        table: 'V1 -> R1 masq 5, R2 masq 0',
      },
      {
        what: 'R1 gets a file of its address, and that of R2 goes',
        files: { 'maintenance/{[fd00:1:SLOT::11]|10.1.SLOT.11}': '', 'maintenance/R2:80': null },
        table: 'V1 -> R1 masq 0, R2 masq 6',
      },
      {
        what: 'R1 is back, and R2 has a file of its name',
        files: { 'maintenance/{[fd00:1:SLOT::11]|10.1.SLOT.11}': null, 'maintenance/r2-SLOT.lab': '' },
        table: 'V1 -> R1 masq 5, R2 masq 0',
      },
      {
        what: 'R1 has a file of its short name and its port, R2 none',
        files: { 'maintenance/r2-SLOT.lab': null, 'maintenance/r1-SLOT:80': '' },
        table: 'V1 -> R1 masq 0, R2 masq 6',
      },
    ],
  },
]

export const readdquiescent: readonly Scenario[] = [
  {
    name: 'readdquiescent',
    before: '',
    site: site({ 'V1 -> R1 masq 5': { quiescent: 'yes', service: 'http' } }),
    steps: [
      { what: 'both start while R1 is dead', servers: { R1: 'down' }, table: 'V1 -> R1 masq 0' },
      { what: 'R1 comes', servers: { R1: 'up' }, table: 'V1 -> R1 masq 5' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1 -> R1 masq 0' },
    ],
  },
]
