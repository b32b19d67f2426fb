import assert from 'node:assert/strict'
import type { Change, DaemonPhase, ServiceId } from '../../../../src/core/model.js'
import { eventsOf, knownServices } from '../../../../src/notify/mail/server-event.js'
import {
  config,
  real,
  SERVICE_ATTRIBUTES,
  service,
  serviceId,
  tableReal,
  tableService,
} from '../../../support/tables.js'

const ID = serviceId('2001:db8::1')
const A = 'fd00:1::a'
const DRAINED = 'fd00:1::d'
const FALLBACK = 'fd00:1::f'
const STRANGER = 'fd00:1::99'
const fwmark = (family: 'ipv4' | 'ipv6'): ServiceId => ({ kind: 'fwmark', fwmark: 5, family })

const PARTS = { reals: [real(A, { weight: 3 }), real(DRAINED, { weight: 0 })], fallback: real(FALLBACK) }

function sentences(change: Change, phase: DaemonPhase = 'running'): readonly string[] {
  const known = knownServices(config([service('web', { id: change.id, ...PARTS })]))
  const [place] = known.values()
  assert.ok(place)
  return eventsOf(change, place, phase).map(({ sentence }) => sentence)
}

const add = (host: string, weight: number): Change => ({
  op: 'add-real',
  id: ID,
  real: tableReal(host, { weight }),
})
const set = (host: string, was: number, weight: number): Change => ({
  op: 'set-real',
  id: ID,
  was: tableReal(host, { weight: was }),
  real: tableReal(host, { weight }),
})
const remove = (host: string): Change => ({ op: 'delete-real', id: ID, was: tableReal(host) })

const V = '([2001:db8::1]:80)'
const NONE = null

/** ldirectord's sentence for a change, or none. */
const CASES: readonly [string, Change, string | null, DaemonPhase?][] = [
  ['a server that comes', add(A, 3), `Added real server: [${A}]:80 ${V} (Weight set to 3)`],
  [
    'a server that comes drained',
    add(DRAINED, 0),
    `Added real server: [${DRAINED}]:80 ${V} (Weight set to 0)`,
  ],
  ['a server that comes dead', add(A, 0), `Quiescent real server: [${A}]:80 ${V} (Weight set to 0)`],
  ['a server that dies', set(A, 3, 0), `Quiescent real server: [${A}]:80 ${V} (Weight set to 0)`],
  ['a server that is back', set(A, 0, 3), `Restored real server: [${A}]:80 ${V} (Weight set to 3)`],
  ['a server that goes', remove(A), `Deleted real server: [${A}]:80 ${V}`],
  [
    'a fallback that comes',
    add(FALLBACK, 1),
    `Added fallback server: [${FALLBACK}]:80 ${V} (Weight set to 1)`,
  ],
  ['a fallback that goes', remove(FALLBACK), `Deleted fallback server: [${FALLBACK}]:80 ${V}`],
  ['a server that is not configured', remove(STRANGER), `Purged real server (start): [${STRANGER}]:80 ${V}`],
  ['a weight that an agent moves', set(A, 3, 2), NONE],
  [
    'a weight that a reload moves',
    set(A, 3, 2),
    `Restored real server: [${A}]:80 ${V} (Weight set to 2)`,
    'reloading',
  ],
  [
    'a server that a reload drains',
    set(DRAINED, 3, 0),
    `Restored real server: [${DRAINED}]:80 ${V} (Weight set to 0)`,
    'reloading',
  ],
  ['a dead server with other thresholds', set(A, 0, 0), NONE, 'reloading'],
  ['a service', { op: 'add-service', id: ID, service: SERVICE_ATTRIBUTES }, NONE],
  [
    'a service that a reload removes',
    { op: 'delete-service', id: ID, was: tableService(ID, [tableReal(A)]) },
    NONE,
    'reloading',
  ],
]

describe('server-event: changes of the table', () => {
  for (const [phrase, change, sentence, phase] of CASES)
    it(`in ldirectord's words: ${phrase}`, () =>
      assert.deepEqual(sentences(change, phase), sentence === null ? [] : [sentence]))

  it('of a firewall mark contain only the mark', () => {
    for (const family of ['ipv4', 'ipv6'] as const)
      assert.deepEqual(sentences({ op: 'delete-real', id: fwmark(family), was: tableReal(A) }), [
        `Deleted real server: [${A}]:80 (5)`,
      ])
  })

  it('of a service that lvsd removes at its stop contain its servers that were in use', () => {
    const reals = [tableReal(A), tableReal(DRAINED, { weight: 0 }), tableReal(FALLBACK)]
    const change: Change = { op: 'delete-service', id: ID, was: tableService(ID, reals) }
    assert.deepEqual(sentences(change, 'stopping'), [`Purged real server (stop): [${A}]:80 ${V}`])
  })
})
