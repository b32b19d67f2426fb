import assert from 'node:assert/strict'
import { check as connect } from '../../../checks/connect.js'
import { check as http } from '../../../checks/http.js'
import { check as ping } from '../../../checks/ping.js'
import { noVerdict, up } from '../../../src/check/check.js'
import type { CheckWork, PathUse } from '../../../src/check/run-code.js'
import type { Address } from '../../../src/core/address.js'
import { NEEDS_CODE } from '../../../src/probe/needs-code.js'
import { NO_CODE, orElse, pathBinding } from '../../../src/schedule/path-probe.js'
import { placementOf } from '../../../src/schedule/placement.js'
import { targetOf } from '../../support/probe.js'
import { address, failed, passed } from '../../support/tables.js'

const VIRTUAL = address('2001:db8::80')
const PATH: PathUse = { key: 'a path', via: address('fd00:1::a'), how: 'gate to [fd00:1::a]:80', mark: 77 }
const OWN = address('fd00:1::d')

function binding(chosen: { address: Address | null }, source?: Address | 'kernel') {
  const towards = (virtual: Address, via: Address) => {
    assert.deepEqual([virtual, via], [VIRTUAL, PATH.via])
    return chosen.address
  }
  return pathBinding(PATH, VIRTUAL, source, { towards })
}

function probeOf(check: CheckWork['check'], options: CheckWork['options'], path: PathUse = PATH) {
  const place = placementOf({ check, target: targetOf({ host: VIRTUAL.text, port: 80 }), options, path })
  assert.equal(place.kind, 'core')
  return place.kind === 'core' ? place.prepared.probe : assert.fail()
}

describe('schedule: a probe through the path of a service', () => {
  it('is from a virtual address if its own source has become one, and there is another', () => {
    const chosen: { address: Address | null } = { address: OWN }
    const bound = binding(chosen)
    const mayBeFrom = (target: Address, from: Address | null) => target === VIRTUAL && from === OWN
    assert.equal(bound.isFromVirtual(mayBeFrom), false, 'none has begun')
    bound.begin()
    assert.equal(bound.isFromVirtual(mayBeFrom), false)
    chosen.address = address('fd00:1::e')
    assert.equal(bound.isFromVirtual(mayBeFrom), true)
    assert.equal(
      bound.isFromVirtual(() => false),
      false,
    )
  })

  it('has the mark of the path', () => {
    const probe = probeOf(connect, {})
    assert.deepEqual([probe.kind, 'mark' in probe && probe.mark], ['tcp', 77])
  })

  it('has no verdict without a mark, and where the check is no data or asks the host', () => {
    const { mark: _, ...unmarked } = PATH
    const answers = [
      probeOf(connect, {}, unmarked),
      probeOf(ping, { size: 56, count: 1 }),
      probeOf({ ...connect, origin: 'user' }, {}),
      probeOf({ ...connect, probe: () => null }, {}),
    ].map(probe => (probe.kind === 'fixed' ? [probe.answer.ok, probe.answer.detail] : probe.kind))
    assert.match(String(answers[0]), /^,only the running lvsd can ask through the path/)
    for (const answer of answers.slice(1))
      assert.match(String(answer), /^,the code of this check makes connections of its own/)
  })

  it('is bound to an address of this machine, or to that of the configuration, and says the way of a failure', () => {
    const chosen = { address: OWN as Address | null }
    const job = binding(chosen)
    assert.equal(job.begin(), OWN)
    const { ok, detail } = job.judged(failed('timeout'))
    assert.deepEqual(
      [ok, detail],
      [false, 'through the path of the service (gate to [fd00:1::a]:80): timeout'],
    )
    const pass = passed()
    assert.equal(job.judged(pass), pass)
    const given = address('fd00:1::e')
    assert.equal(binding(chosen, given).begin(), given)
    assert.equal(binding(chosen, address('192.0.2.1')).begin(), OWN)
  })

  it('has no verdict without a source of its own, and when the source has changed during the run', () => {
    const chosen: { address: Address | null } = { address: null }
    const job = binding(chosen)
    job.begin()
    assert.equal(job.judged(failed('timeout')).ok, null)
    assert.match(job.judged(passed()).detail, /^this machine has no address for checks through the path/)
    chosen.address = OWN
    job.begin()
    chosen.address = address('fd00:1::e')
    assert.match(job.judged(failed('timeout')).detail, /have changed during the run; through the path/)
  })

  it('is not left to code: a redirect that is to be followed is no verdict', () => {
    const probe = probeOf(http, {
      ...{ httpmethod: 'GET', request: '/', receive: null, virtualhost: null, status: [[200, 299]] },
      ...{ redirects: 1, limit: 1000, headers: {}, body: null, login: '', passwd: '' },
    })
    assert.notEqual(probe.kind, 'icmp')
    const heard: unknown[] = []
    orElse(answer => heard.push(answer), null)(NEEDS_CODE)
    orElse(
      answer => heard.push(answer),
      () => heard.push('code'),
    )(NEEDS_CODE)
    const answer = up('ok')
    orElse(one => heard.push(one), null)(answer)
    assert.deepEqual(heard, [NO_CODE, 'code', answer])
    assert.equal(NO_CODE.ok, noVerdict('').ok)
  })
})
