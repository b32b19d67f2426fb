/** Other actions of a director: commands, the monitorfile, and detection of a changed file. */
import type { Scenario } from '../scenario.js'
import { site } from '../site.js'
import { teller } from '../told.js'

/** Scripts that record their calls. */
export const tellers = { fallback: teller('fallback'), other: teller('other'), callback: teller('callback') }

/** Scenarios with the global line `fallbackcommand=DIR/fallback`. */
export const fallbackCommands: readonly Scenario[] = [
  {
    name: 'fallbackcommand: arguments and calls',
    site: site({
      'V1 -> R1 masq 5, R2 masq 5': { service: 'http' },
      'V2 -> R1 masq 6': {
        service: 'http',
        fallback: 'F:80 masq',
        quiescent: 'yes',
        fallbackcommand: '"DIR/other with words"',
      },
    }),
    steps: [
      {
        what: 'both start',
        table: 'V1 -> R1 masq 5, R2 masq 5; V2 -> R1 masq 6',
        told: '',
        ldirectord: {
          because: 'at its start ldirectord says that no fallback is needed, though none was',
          told: `
            fallback stop V1:80 tcp
            other with words stop V2:80 tcp`,
        },
      },
      {
        what: 'R1 dies: V2 has no server left',
        servers: { R1: 'down' },
        table: 'V1 -> R2 masq 5; V2 -> R1 masq 0, F masq 1',
        told: 'other with words start V2:80 tcp',
      },
      {
        what: 'R2 dies: V1 has none left either',
        servers: { R2: 'down' },
        table: 'V1; V2 -> R1 masq 0, F masq 1',
        told: 'fallback start V1:80 tcp',
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: 'V1 -> R1 masq 5; V2 -> R1 masq 6',
        told: `
          fallback stop V1:80 tcp
          other with words stop V2:80 tcp`,
      },
      {
        what: 'R2 is back, which matters to nobody',
        servers: { R2: 'up' },
        table: 'V1 -> R1 masq 5, R2 masq 5; V2 -> R1 masq 6',
        told: '',
      },
    ],
  },
]

/** Scenarios with `fork=yes`. */
export const forked: readonly Scenario[] = [
  {
    name: 'fork=yes: a process for each virtual of ldirectord',
    site: site({
      'V1 -> R1 masq 5': { service: 'http', checkinterval: '1', fallback: 'F:80 masq' },
      'V2 -> R1 masq 6': { service: 'http', quiescent: 'yes' },
    }),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5; V2 -> R1 masq 6' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1 -> F masq 1; V2 -> R1 masq 0' },
      { what: 'R1 is back', servers: { R1: 'up' }, table: 'V1 -> R1 masq 5; V2 -> R1 masq 6' },
      { what: 'both get SIGTERM', stop: true, table: '' },
    ],
  },
]

/** Scenarios with `autoreload=yes` and `callback="DIR/callback"`. No signals are sent. */
export const autoreload: readonly Scenario[] = [
  {
    name: 'autoreload of a file that an editor renames into place, and callback',
    site: site({ 'V1 -> R1 masq 5, R2 masq 5': { service: 'http' } }),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5, R2 masq 5', told: '' },
      { what: 'R2 dies', servers: { R2: 'down' }, table: 'V1 -> R1 masq 5' },
      { what: 'R2 is back', servers: { R2: 'up' }, table: 'V1 -> R1 masq 5, R2 masq 5' },
      {
        what: 'a new file: another weight',
        reload: site({ 'V1 -> R1 masq 50, R2 masq 5': { service: 'http' } }),
        table: 'V1 -> R1 masq 50, R2 masq 5',
        told: 'callback DIR/ldirectord.cf',
      },
      {
        what: 'a new file, in which most is gone',
        reload: site({ 'V2 -> R2 masq 6': { service: 'http' } }),
        table: 'V2 -> R2 masq 6',
        told: 'callback DIR/ldirectord.cf',
      },
    ],
  },
]

/** Scenarios with a monitorfile. */
export const monitored: readonly Scenario[] = [
  {
    name: 'monitorfile: the words of a line',
    families: ['ipv4'],
    site: site({
      'V1 -> R1 masq 5': {
        service: 'http',
        request: '"/health?a=1"',
        receive: '"is o+k"',
        virtualhost: 'www.example',
        monitorfile: 'DIR/monitor',
      },
      'V2 -> R1 gate 6': { checktype: 'connect', checkport: '80', monitorfile: '"DIR/monitor"' },
    }),
    steps: [
      {
        what: 'both start',
        table: 'V1 -> R1 masq 5; V2 -> R1 gate 6',
        told: `
          monitor negotiate http tcp R1 80 www.example 5 masq /health?a=1 is o+k [up]
          monitor connect tcp R1 80 80 6 gate /  [up]`,
      },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1; V2' },
      {
        what: 'R1 stays dead',
        table: 'V1; V2',
        told: `
          monitor negotiate http tcp R1 80 www.example 5 masq /health?a=1 is o+k [down]
          monitor connect tcp R1 80 80 6 gate /  [down]`,
      },
    ],
  },
]
