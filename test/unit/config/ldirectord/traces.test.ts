/**
 * Traces of what the real ldirectord does to the table, played again to lvsd: after each event that moves anything, its
 * table must be ldirectord's, but for what is listed here. Those of the corpus belong to others, so they are read where they lie and
 * left out where they do not; those beside this file were recorded by ldirectord-trace.pl.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Difference, replay } from '../../../support/config/ldirectord-replay.js'
import { readTrace } from '../../../support/config/ldirectord-trace.js'

const CORPUS = fileURLToPath(new URL('../../../../../shared/corpus/ldirectord/traces/', import.meta.url))
const OWN = fileURLToPath(new URL('../../../fixtures/ldirectord-traces/', import.meta.url))

const REPAIRED = 'what somebody else changes in the table is put right'
const COUNTED = 'failures are counted for each virtual, not for all of them together'
const MARK_FALLBACK = 'the global fallback works for firewall marks'
const SEEING = 'a reload that failed leaves lvsd as it was, and its checks go on to count'
const MAPPED =
  'direct routing to another port is mapped to the port of the virtual, where ldirectord loses the server'
const OWN_FALLBACK = 'a fallback that is one of the real servers is not taken out when it is one of those'
const FORGOTTEN =
  'ldirectord forgets a server that is dead at its start in all virtuals but the last that has it'
const EMPTY = 'a file without a virtual is more likely an accident than a wish'

const [WEB, WEB2, WEB3] = [1, 2, 3].map(n => `tcp 10.1.1.${n}:80`)

const DIFFERENCES: Readonly<Record<string, readonly Difference[]>> = {
  '06-readdquiescent': [
    {
      because: REPAIRED,
      steps: [6, 6],
      without: [`${WEB} | 10.0.0.2:80 masq 0`],
      with: [`${WEB} | 10.0.0.2:80 masq 7`],
    },
  ],
  '07-failurecount-shared-real': [
    { because: COUNTED, steps: [4, 4], with: [`${WEB3} | 10.0.0.1:80 masq 1`] },
    {
      because: COUNTED,
      steps: [5, 5],
      with: [WEB, WEB2, WEB3].map(virtual => `${virtual} | 10.0.0.1:80 masq 1`),
    },
  ],
  '10-fwm-global-fallback': [
    { because: MARK_FALLBACK, steps: [4, 4], with: ['fwmark 5 ipv4 | 127.0.0.1:80 gate 1'] },
  ],
  '19-external-change': [
    { because: REPAIRED, steps: [4, 4], with: [`${WEB} | 10.0.0.1:80 masq 5`] },
    {
      because: REPAIRED,
      steps: [6, 6],
      with: [`${WEB} wlc`, `${WEB} | 10.0.0.1:80 masq 5`, `${WEB} | 10.0.0.2:80 masq 7`],
    },
    { because: REPAIRED, steps: [8, 8], with: [`${WEB} wlc`, `${WEB} | 10.0.0.1:80 masq 5`] },
    {
      because: REPAIRED,
      steps: [10, 10],
      with: [`${WEB} wlc`, `${WEB} | 10.0.0.1:80 masq 5`, `${WEB} | 10.0.0.2:80 masq 7`],
    },
  ],
  'R2-reload-broken': [
    {
      because: SEEING,
      steps: [7, 9],
      without: [`${WEB} | 10.0.0.1:80 masq 5`, `${WEB} | 10.0.0.2:80 masq 7`, `${WEB2} | 10.0.0.3:80 masq 1`],
      with: [`${WEB} | 10.0.0.1:80 masq 0`, `${WEB} | 10.0.0.2:80 masq 0`, `${WEB2} | 10.0.0.3:80 masq 0`],
    },
  ],
  'fallback-is-a-real': [
    { because: OWN_FALLBACK, steps: [1, 5], with: [`${WEB} | 10.0.0.2:80 masq 7`] },
    { because: OWN_FALLBACK, steps: [7, 7], with: [`${WEB} | 10.0.0.2:80 masq 0`] },
  ],
  'gate-other-port-yes': [
    {
      because: MAPPED,
      steps: [1, 6],
      without: [`${WEB} | 10.0.0.1:80 gate 0`],
      with: [`${WEB} | 10.0.0.1:80 gate 5`],
    },
  ],
  'shared-dead-at-start': [{ because: FORGOTTEN, steps: [2, 4], with: [`${WEB} | 10.0.0.1:80 masq 0`] }],
  'reload-empty': [
    {
      because: EMPTY,
      steps: [2, 3],
      with: [`${WEB} wlc`, `${WEB} | 10.0.0.1:80 masq 5`, `${WEB} | 10.0.0.2:80 masq 7`],
    },
  ],
}

const TWICE = 'a server that stands twice is set twice by ldirectord'
const UNMAPPED = 'ldirectord names the port that is written too, and not only that of the kernel'

/** Where other sentences are logged, and why. */
const SENTENCES: Readonly<Record<string, string>> = {
  '07-failurecount-shared-real': COUNTED,
  '15-weights': TWICE,
  'shared-dead-at-start': FORGOTTEN,
  ranges: TWICE,
  'fallback-no-global': UNMAPPED,
  'gate-other-port-no': UNMAPPED,
}

const files = [CORPUS, OWN].flatMap(folder =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter(name => name.endsWith('.txt'))
        .sort()
        .map(name => ({ name: name.replace(/\.txt$/, ''), path: join(folder, name) }))
    : [],
)

describe('traces: what ldirectord does to the table, lvsd does', () => {
  for (const { name, path } of files) {
    const trace = readTrace(readFileSync(path, 'utf8'))
    it(`${name}: ${trace.title}`, () => replay(trace, DIFFERENCES[name], SENTENCES[name]))
  }
})
