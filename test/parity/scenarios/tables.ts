/** Attributes in the table: weights, forwarding, thresholds, flags, persistence. */
import type { Scenario } from '../scenario.js'
import { site } from '../site.js'

export const tables: readonly Scenario[] = [
  {
    name: 'weights, forwarding and a server that is drained',
    site: site({
      'V1 -> R1 gate 0, R2 ipip 1000, R3 masq': { quiescent: 'yes', service: 'http', scheduler: 'wlc' },
    }),
    steps: [
      { what: 'both start', table: 'V1 wlc -> R1 gate 0, R2 ipip 1000, R3 masq 1' },
      {
        what: 'R1 and R2 die',
        servers: { R1: 'down', R2: 'down' },
        table: 'V1 wlc -> R1 gate 0, R2 ipip 0, R3 masq 1',
      },
    ],
  },
  {
    name: 'firewall marks',
    site: site(
      {
        M1: {
          quiescent: 'yes',
          real: 'R1 gate 3',
          service: 'http',
          checkport: '8080',
          scheduler: 'rr',
          persistent: '60',
        },
      },
      'http 8080',
    ),
    steps: [
      { what: 'both start', table: 'M1 rr persistent 60 -> R1:0 gate 3' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'M1 rr persistent 60 -> R1:0 gate 0' },
    ],
  },
  {
    name: 'thresholds',
    site: site(
      { 'V1 -> R1 masq 5 l:10 u:100, R2 masq 5 u:7': { quiescent: 'no', checktype: 'connect' } },
      'tcp 80',
    ),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5 u:100 l:10, R2 masq 5 u:7 l:0' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1 -> R2 masq 5 u:7 l:0' },
      { what: 'R1 is back', servers: { R1: 'up' }, table: 'V1 -> R1 masq 5 u:100 l:10, R2 masq 5 u:7 l:0' },
    ],
  },
  {
    name: 'thresholds, quiescent',
    before: '',
    site: site({ 'V1 -> R1 masq 5 l:10 u:100': { quiescent: 'yes', checktype: 'connect' } }, 'tcp 80'),
    steps: [
      { what: 'R1 dies before both start', servers: { R1: 'down' }, table: 'V1 -> R1 masq 0' },
      { what: 'R1 comes', servers: { R1: 'up' }, table: 'V1 -> R1 masq 5 u:100 l:10' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1 -> R1 masq 0' },
    ],
  },
  {
    name: 'flags of the scheduler',
    site: site(
      {
        'V1 -> R1 masq 5': { checktype: 'on', scheduler: 'sh', schedflags: 'sh-fallback,sh-port' },
        'V2 -> R1 masq 5': { checktype: 'on', scheduler: 'mh', schedflags: 'mh-port' },
      },
      null,
    ),
    steps: [{ what: 'both start', table: 'V1 sh flag-1 flag-2 -> R1 masq 5; V2 mh flag-2 -> R1 masq 5' }],
  },
  {
    name: 'persistence, with and without a netmask',
    site: site(
      {
        'V1 -> R1 masq 5': { checktype: 'on', persistent: '600' },
        'V2:443 -> R1 masq 5': { checktype: 'on', persistent: '300', netmask: '{64|255.255.255.0}' },
      },
      null,
    ),
    steps: [
      {
        what: 'both start',
        table: 'V1 wrr persistent 600 -> R1 masq 5; V2:443 wrr persistent 300/{64|24} -> R1 masq 5',
      },
    ],
  },
  {
    name: 'one packet scheduling',
    site: site(
      {
        'udp V1:5353 -> R1 masq': { checktype: 'on', ops: 'yes' },
        'V2 -> R1 masq': { checktype: 'on', ops: 'yes' },
      },
      null,
    ),
    steps: [
      {
        what: 'both start: it counts for udp alone',
        table: 'udp V1:5353 wrr ops -> R1 masq 1; V2 -> R1 masq 1',
      },
    ],
  },
  {
    name: 'direct routing to another port, not quiescent',
    before: '',
    site: site({ 'V1 -> R1:8080 gate 5': { quiescent: 'no', service: 'http' } }, 'http 8080'),
    steps: [
      { what: 'both start: the kernel uses the port of the virtual', table: 'V1 -> R1 gate 5' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1' },
    ],
  },
  {
    name: 'direct routing to another port, quiescent',
    before: '',
    site: site({ 'V1 -> R1:8080 gate 5': { quiescent: 'yes', service: 'http' } }, 'http 8080'),
    steps: [
      {
        what: 'both start',
        table: 'V1 -> R1 gate 5',
        ldirectord: {
          because:
            'ldirectord sets the server to weight 0 at its start and never finds it again, for the kernel has it at another port',
          table: 'V1 -> R1 gate 0',
        },
      },
    ],
  },
]
