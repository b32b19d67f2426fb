/** Mails: their subjects, and when they are sent. */
import type { Scenario } from '../scenario.js'
import { site } from '../site.js'

/** ldirectord sends no mails while it starts, and the first change may happen in that time. */
const MAY_START = { because: 'ldirectord may still be starting, and mails nothing then', told: null }

/** Scenarios with global `smtp`, `emailalertstatus=running,stopping` and `emailalertfrom`. */
export const mails: readonly Scenario[] = [
  {
    name: 'mails, not quiescent, with a fallback: subjects',
    site: site({
      'V1 -> R1 masq 5': {
        service: 'http',
        fallback: 'F:80 masq',
        servicename: 'shop',
        emailalert: '{six|four}@lab.example',
      },
    }),
    steps: [
      { what: 'both start, and mail nothing', table: 'V1 -> R1 masq 5', told: '' },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: 'V1 -> F masq 1',
        told: `
          mail [shop] Deleted real server: R1:80 (V1:80)
          mail [shop] Added fallback server: F:80 (V1:80) (Weight set to 1)`,
        ldirectord: MAY_START,
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: 'V1 -> R1 masq 5',
        told: `
          mail [shop] Added real server: R1:80 (V1:80) (Weight set to 5)
          mail [shop] Deleted fallback server: F:80 (V1:80)`,
      },
      {
        what: 'R1 dies once more',
        servers: { R1: 'down' },
        table: 'V1 -> F masq 1',
        told: `
          mail [shop] Deleted real server: R1:80 (V1:80)
          mail [shop] Added fallback server: F:80 (V1:80) (Weight set to 1)`,
      },
      { what: 'both get SIGTERM: no server is purged', stop: true, table: '', told: '' },
    ],
  },
  {
    name: 'mails, quiescent, and to those who want them at a stop alone: subjects',
    site: site({
      'V1 -> R1 masq 5': { service: 'http', quiescent: 'yes', emailalert: '{six|four}q@lab.example' },
      'V2 -> R1 masq 7': {
        service: 'http',
        emailalert: '{six|four}s@lab.example',
        emailalertstatus: 'stopping',
      },
    }),
    steps: [
      { what: 'both start, and mail nothing', table: 'V1 -> R1 masq 5; V2 -> R1 masq 7', told: '' },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: 'V1 -> R1 masq 0; V2',
        told: 'mail Quiescent real server: R1:80 (V1:80) (Weight set to 0)',
        ldirectord: MAY_START,
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: 'V1 -> R1 masq 5; V2 -> R1 masq 7',
        told: 'mail Restored real server: R1:80 (V1:80) (Weight set to 5)',
      },
      { what: 'nothing happens', table: 'V1 -> R1 masq 5; V2 -> R1 masq 7', told: '' },
      {
        what: 'both get SIGTERM',
        stop: true,
        table: '',
        told: `
          mail Purged real server (stop): R1:80 (V1:80)
          mail Purged real server (stop): R1:80 (V2:80)`,
      },
    ],
  },
  {
    name: 'mails again and again, with emailalertfreq: subjects',
    site: site({
      'V1 -> R1 masq 5': { service: 'http', emailalert: '{six|four}f@lab.example', emailalertfreq: '4' },
    }),
    steps: [
      { what: 'both start, and mail nothing', table: 'V1 -> R1 masq 5', told: '' },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: 'V1',
        told: `
          mail Deleted real server: R1:80 (V1:80)
          mail Inaccessible real server: R1:80 (V1:80)`,
        ldirectord: MAY_START,
      },
      { what: 'R1 stays dead', table: 'V1', told: 'mail Inaccessible real server: R1:80 (V1:80)' },
    ],
  },
]
