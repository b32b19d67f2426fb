/** Scenarios with servers that go up and down. */
import type { Scenario } from '../scenario.js'
import { site } from '../site.js'

export const basics: readonly Scenario[] = [
  {
    name: 'a server down and up, not quiescent',
    before: '',
    site: site({ 'V1 -> R1 masq 5, R2 masq 7': { quiescent: 'no', service: 'http', scheduler: 'wlc' } }),
    steps: [
      { what: 'both start', table: 'V1 wlc -> R1 masq 5, R2 masq 7' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1 wlc -> R2 masq 7' },
      { what: 'R2 dies too', servers: { R2: 'down' }, table: 'V1 wlc' },
      { what: 'R1 is back', servers: { R1: 'up' }, table: 'V1 wlc -> R1 masq 5' },
    ],
  },
  {
    name: 'a server down and up, quiescent',
    site: site({ 'V1 -> R1 masq 5, R2 masq 7': { quiescent: 'yes', service: 'http', scheduler: 'wlc' } }),
    steps: [
      { what: 'both start', table: 'V1 wlc -> R1 masq 5, R2 masq 7' },
      {
        what: 'R1 answers 200 but says nothing in time',
        servers: { R1: 'silent' },
        table: 'V1 wlc -> R1 masq 0, R2 masq 7',
      },
      { what: 'R1 is back', servers: { R1: 'up' }, table: 'V1 wlc -> R1 masq 5, R2 masq 7' },
    ],
  },
  {
    name: 'a server that is dead at the start',
    before: '',
    site: site({
      'V1 -> R1 masq 5': { service: 'http', quiescent: 'no' },
      'V2 -> R1 gate 6': { service: 'http', quiescent: 'yes' },
    }),
    steps: [
      { what: 'both start', servers: { R1: 'down' }, table: 'V1; V2 -> R1 gate 0' },
      { what: 'R1 comes', servers: { R1: 'up' }, table: 'V1 -> R1 masq 5; V2 -> R1 gate 6' },
    ],
  },
  {
    name: 'failurecount',
    site: site({ 'V1 -> R1 masq': { failurecount: '3', checktype: 'connect' } }, 'tcp 80'),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 1' },
      { what: 'R1 dies and fails three times', servers: { R1: 'down' }, table: 'V1' },
      { what: 'R1 passes once', servers: { R1: 'up' }, table: 'V1 -> R1 masq 1' },
    ],
  },
  {
    name: 'a server of several virtuals',
    site: site({
      'V1 -> R1 masq 3': { failurecount: '2', service: 'http' },
      'V2 -> R1 masq 3': { failurecount: '2', service: 'http', quiescent: 'yes' },
    }),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 3; V2 -> R1 masq 3' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1; V2 -> R1 masq 0' },
      { what: 'R1 is back', servers: { R1: 'up' }, table: 'V1 -> R1 masq 3; V2 -> R1 masq 3' },
    ],
  },
  {
    name: 'real servers by name',
    site: site({ 'V1 -> r1-SLOT.lab:80 masq 5, r2-SLOT.lab:http gate 6': { service: 'http' } }),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5, R2 gate 6' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1 -> R2 gate 6' },
    ],
  },
  {
    name: 'a range of real servers',
    families: ['ipv4'],
    site: site({ 'V1 -> 10.1.SLOT.11->10.1.SLOT.13:80 masq 3': { service: 'http' } }),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 3, R2 masq 3, R3 masq 3' },
      { what: 'R2 dies', servers: { R2: 'down' }, table: 'V1 -> R1 masq 3, R3 masq 3' },
    ],
  },
]
