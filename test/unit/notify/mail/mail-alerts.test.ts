/** Which mails follow from what the daemon tells, on a fake clock; nothing is sent. */
import assert from 'node:assert/strict'
import type { MailPolicy } from '../../../../src/config/schema/model-keys.js'
import { diff } from '../../../../src/core/diff.js'
import {
  type Change,
  type CheckResult,
  type DaemonPhase,
  type HealthState,
  keyOfReal,
  type ResolvedConfig,
  type ResolvedReal,
  type ResolvedService,
  type TableReal,
} from '../../../../src/core/model.js'
import type { OverrideChange } from '../../../../src/health/health-changes.js'
import { MailAlerts } from '../../../../src/notify/mail/mail-alerts.js'
import type { MailMessage } from '../../../../src/notify/mail/message.js'
import { FakeClock } from '../../../support/fake-clock.js'
import {
  config,
  failed,
  heldBy,
  passed,
  real,
  service,
  serviceId,
  table,
  tableReal,
  tableService,
} from '../../../support/tables.js'

const ID = serviceId('2001:db8::1')
const V = '([2001:db8::1]:80)'
const A = 'fd00:1::a'
const B = 'fd00:1::b'
const F = 'fd00:1::f'
const MAIL: MailPolicy = {
  to: ['ops@example.com'],
  from: null,
  repeat: null,
  during: ['starting', 'running', 'reloading', 'stopping'],
  server: null,
}
const MINUTE = 60_000

const web = (parts: Partial<ResolvedService> = {}) =>
  service('web', { id: ID, mail: MAIL, reals: [real(A), real(B)], fallback: real(F), ...parts })

function opened(first: ResolvedConfig, phase: DaemonPhase = 'starting') {
  const clock = new FakeClock()
  const letters: MailMessage[] = []
  let prepared = 0
  let closed = 0
  const close = async (patience: number) => {
    closed = patience
  }
  const observer = new MailAlerts({
    clock,
    host: 'director1',
    queue: { enqueue: letter => void letters.push(letter), close },
    prepare: () => prepared++,
    wallClock: () => 0,
    steadyClock: () => 1000,
  })
  observer.phase?.(phase)
  observer.config?.(first)
  const subjects = () => letters.splice(0).map(({ subject }) => subject)
  const move = (owner: ResolvedService, host: string, from: HealthState, to: HealthState) => {
    const moved = owner.reals.find(each => each.host === host) as ResolvedReal
    const result = to === 'up' ? passed() : failed('refused')
    observer.transition?.({
      service: owner,
      real: moved,
      check: 'on',
      from,
      to,
      result,
      hasMovedServer: true,
      state: to,
      passing: to === 'up' ? 1 : 0,
      checks: 1,
    })
  }
  const apply = (...changes: readonly Change[]) => observer.applied?.(changes)
  return { clock, observer, letters, subjects, move, apply, prepared: () => prepared, closed: () => closed }
}

const add = (host: string, id = ID): Change => ({ op: 'add-real', id, real: tableReal(host) })
const remove = (host: string, id = ID): Change => ({ op: 'delete-real', id, was: tableReal(host) })

/** A daemon that has been running for a while with both servers up. */
function running(owner = web()) {
  const parts = opened(config([owner]))
  for (const { host } of owner.reals) parts.move(owner, host, 'unknown', 'up')
  parts.observer.phase?.('running')
  parts.clock.wind(MINUTE)
  parts.subjects()
  return { ...parts, owner }
}

describe('mail-alerts: mails', () => {
  it('report each change with its reason within seconds', () => {
    const { clock, letters, move, apply, owner } = running()
    move(owner, A, 'up', 'down')
    apply(remove(A))
    clock.wind(1999)
    assert.equal(letters.length, 0)
    clock.wind(1)
    assert.deepEqual(
      letters.map(({ subject }) => subject),
      [`Deleted real server: [${A}]:80 ${V}`],
    )
    assert.match(letters[0]?.text ?? '', /Daemon-Status: running\n\nReason: refused: refused\n$/)
    assert.deepEqual(letters[0]?.route.to, ['ops@example.com'])
  })

  it('report that a server is up again', () => {
    const { clock, subjects, move, apply, owner, letters } = running()
    move(owner, A, 'up', 'down')
    apply(remove(A))
    clock.wind(MINUTE)
    subjects()
    move(owner, A, 'down', 'up')
    apply(add(A))
    clock.wind(2000)
    assert.doesNotMatch(letters[0]?.text ?? '', /Reason/)
    assert.deepEqual(subjects(), [`Added real server: [${A}]:80 ${V} (Weight set to 1)`])
  })

  it('report the state of the kernel table: a server that the kernel does not remove is inaccessible', () => {
    const { clock, subjects, move, apply, owner } = running()
    move(owner, A, 'up', 'down')
    apply()
    clock.wind(2000)
    assert.deepEqual(subjects(), [`Inaccessible real server: [${A}]:80 ${V}`])
  })

  it('report a server that was never in the table', () => {
    const owner = web()
    const { clock, subjects, letters, move } = opened(config([owner]))
    move(owner, A, 'unknown', 'down')
    clock.wind(2000)
    assert.match(letters[0]?.text ?? '', /Daemon-Status: starting/)
    assert.deepEqual(subjects(), [`Inaccessible real server: [${A}]:80 ${V}`])
  })

  it('do not report a drained server that does not change', () => {
    const owner = web({ quiescent: true, reals: [real(A, { weight: 0 })], mail: { ...MAIL, repeat: MINUTE } })
    const { clock, subjects, move } = running(owner)
    move(owner, A, 'up', 'down')
    clock.wind(10 * MINUTE)
    assert.deepEqual(subjects(), [])
  })

  it('are not sent without recipients, and no mail library is loaded', () => {
    const owner = web({ mail: null })
    const { clock, subjects, move, apply, prepared } = running(owner)
    move(owner, A, 'up', 'down')
    apply(remove(A))
    clock.wind(MINUTE)
    assert.deepEqual(subjects(), [])
    assert.equal(prepared(), 0)
    assert.equal(running().prepared(), 1)
  })

  it('report at a stop the service that lvsd removes, with 5 s for the delivery', async () => {
    const { observer, subjects, move, apply, owner, closed } = running()
    move(owner, A, 'up', 'down')
    apply(remove(A))
    observer.phase?.('stopping')
    apply({ op: 'delete-service', id: ID, was: tableService(ID, [tableReal(B)]) })
    await observer.close?.()
    assert.deepEqual(subjects(), [
      `Deleted real server: [${A}]:80 ${V}`,
      `Purged real server (stop): [${B}]:80 ${V}`,
    ])
    assert.equal(closed(), 5000)
  })
})

describe('mail-alerts: mails during an excluded period', () => {
  const only = (...during: DaemonPhase[]) => web({ mail: { ...MAIL, during } })

  it('tell of servers that were there before the first configuration with mails', () => {
    const before = web({ mail: null })
    const { observer, clock, apply, subjects } = running(before)
    observer.phase?.('reloading')
    observer.config?.(config([only('running')]))
    observer.phase?.('running')
    // An override, without a transition.
    apply(remove(A))
    clock.wind(MINUTE)
    assert.deepEqual(subjects(), [`Deleted real server: [${A}]:80 ${V}`])
  })

  it('are not sent', () => {
    const owner = only('starting', 'stopping')
    const { clock, subjects, move, apply } = running(owner)
    move(owner, A, 'up', 'down')
    apply(remove(A))
    clock.wind(MINUTE)
    assert.deepEqual(subjects(), [])
  })

  it('belong to the start until each server has its first result', () => {
    const owner = only('running')
    const { clock, subjects, move, apply, observer } = opened(config([owner]))
    observer.phase?.('running')
    clock.wind(20_000)
    move(owner, A, 'unknown', 'up')
    apply(add(A))
    move(owner, B, 'unknown', 'down')
    clock.wind(MINUTE)
    assert.deepEqual(subjects(), [])
    move(owner, A, 'up', 'down')
    apply(remove(A), add(F))
    clock.wind(MINUTE)
    assert.deepEqual(subjects(), [
      `Deleted real server: [${A}]:80 ${V}`,
      `Added fallback server: [${F}]:80 ${V} (Weight set to 1)`,
    ])
  })

  it('belong to a reload for the servers that it added', () => {
    const owner = only('reloading')
    const { clock, subjects, letters, move, apply, observer } = running(owner)
    const bigger = { ...owner, reals: [...owner.reals, real('fd00:1::c')] }
    observer.phase?.('reloading')
    observer.config?.(config([bigger]))
    observer.phase?.('running')
    move(bigger, 'fd00:1::c', 'unknown', 'up')
    apply(add('fd00:1::c'))
    move(bigger, A, 'up', 'down')
    apply(remove(A))
    clock.wind(2000)
    assert.match(letters[0]?.text ?? '', /Daemon-Status: reloading/)
    assert.deepEqual(subjects(), [`Added real server: [fd00:1::c]:80 ${V} (Weight set to 1)`])
  })

  it('belong to the start for the fallback of a service without an available server', () => {
    const owner = only('running')
    const { clock, subjects, move, apply, observer } = opened(config([owner]))
    observer.phase?.('running')
    move(owner, A, 'unknown', 'down')
    move(owner, B, 'unknown', 'down')
    apply(add(F))
    clock.wind(MINUTE)
    assert.deepEqual(subjects(), [])
  })
})

describe('mail-alerts: a server that stays down', () => {
  const repeating = web({ mail: { ...MAIL, repeat: 10 * MINUTE } })
  const INACCESSIBLE = [`Inaccessible real server: [${A}]:80 ${V}`]

  it('is reported again at each interval until it is up', () => {
    const { clock, subjects, move, apply } = running(repeating)
    move(repeating, A, 'up', 'down')
    apply(remove(A))
    clock.wind(9 * MINUTE)
    assert.deepEqual(subjects(), [`Deleted real server: [${A}]:80 ${V}`])
    for (let i = 0; i < 3; i++) {
      clock.wind(10 * MINUTE)
      assert.deepEqual(subjects(), INACCESSIBLE)
    }
    move(repeating, A, 'down', 'up')
    apply(add(A))
    clock.wind(60 * MINUTE)
    assert.deepEqual(subjects(), [`Added real server: [${A}]:80 ${V} (Weight set to 1)`])
    assert.equal(clock.alarms, 0)
  })

  it('is reported once without an interval, and not after a reload that removes it', () => {
    const once = running()
    once.move(once.owner, A, 'up', 'down')
    once.clock.wind(3 * 60 * MINUTE)
    assert.equal(once.subjects().length, 1)
    const gone = running(repeating)
    gone.move(repeating, A, 'up', 'down')
    gone.clock.wind(MINUTE)
    gone.subjects()
    gone.observer.config?.(config([{ ...repeating, reals: [real(B)] }]))
    gone.clock.wind(60 * MINUTE)
    assert.deepEqual(gone.subjects(), [])
  })

  it('is reported at the interval that a reload sets', () => {
    const { clock, subjects, move, observer } = running()
    move(web(), A, 'up', 'down')
    clock.wind(MINUTE)
    subjects()
    observer.config?.(config([repeating]))
    clock.wind(10 * MINUTE)
    assert.deepEqual(subjects(), INACCESSIBLE)
  })

  it('is never a fallback', () => {
    const { clock, subjects, apply } = running(repeating)
    apply(add(F))
    clock.wind(2000)
    apply(remove(F))
    clock.wind(60 * MINUTE)
    assert.deepEqual(subjects(), [
      `Added fallback server: [${F}]:80 ${V} (Weight set to 1)`,
      `Deleted fallback server: [${F}]:80 ${V}`,
    ])
  })
})

describe('mail-alerts: a server in maintenance', () => {
  const owner = web({ mail: { ...MAIL, repeat: 10 * MINUTE, during: ['running'] } })
  const hold = (isHeld: boolean, failure: CheckResult | null = null): OverrideChange => ({
    service: owner,
    real: owner.reals[0] as ResolvedReal,
    before: isHeld ? null : heldBy(`[${A}]`),
    after: isHeld ? heldBy(`[${A}]`) : null,
    failure,
  })

  it('is reported at the begin, with the maintenance file, and at the end, but not in between', () => {
    const { clock, subjects, letters, observer, apply } = running(owner)
    observer.override?.(hold(true))
    apply(remove(A))
    clock.wind(2000)
    assert.match(letters[0]?.text ?? '', new RegExp(`Reason: maintenance: \\[${A}\\]`))
    assert.deepEqual(subjects(), [`Deleted real server: [${A}]:80 ${V}`])
    observer.config?.(config([owner]))
    clock.wind(60 * MINUTE)
    assert.deepEqual(subjects(), [])
    observer.override?.(hold(false))
    apply(add(A))
    clock.wind(60 * MINUTE)
    assert.deepEqual(subjects(), [`Added real server: [${A}]:80 ${V} (Weight set to 1)`])
  })

  it('is not repeated if it was down before, until the maintenance ends and it is still down', () => {
    const { clock, subjects, observer, move, apply } = running(owner)
    move(owner, A, 'up', 'down')
    apply(remove(A))
    clock.wind(2000)
    subjects()
    observer.override?.(hold(true))
    clock.wind(60 * MINUTE)
    assert.deepEqual(subjects(), [])
    observer.override?.(hold(false, failed('refused')))
    clock.wind(15 * MINUTE)
    const INACCESSIBLE = `Inaccessible real server: [${A}]:80 ${V}`
    assert.deepEqual(subjects(), [INACCESSIBLE, INACCESSIBLE])
  })

  it('does not belong to the start if its maintenance ends later', () => {
    const { clock, subjects, observer, apply } = opened(config([owner]))
    observer.override?.(hold(true))
    observer.phase?.('running')
    clock.wind(60 * MINUTE)
    observer.override?.(hold(false))
    apply(add(A))
    clock.wind(2000)
    assert.deepEqual(subjects(), [`Added real server: [${A}]:80 ${V} (Weight set to 1)`])
  })
})

describe('mail-alerts: many servers at once', () => {
  const hosts = Array.from({ length: 200 }, (_, i) => `fd00:3::${(i + 1).toString(16)}`)
  const many = web({ reals: hosts.map(host => real(host)), mail: { ...MAIL, repeat: 10 * MINUTE } })

  it('send one mail when they go down, one at the repetition, and one when they are up', () => {
    const { clock, subjects, letters, move, apply } = running(many)
    for (const host of hosts) {
      move(many, host, 'up', 'down')
      apply(remove(host))
      clock.wind(5)
    }
    apply(add(F))
    clock.wind(MINUTE)
    assert.equal(letters[0]?.text.match(/Deleted real server: /g)?.length, 200)
    assert.deepEqual(subjects(), ['201 changes: 200 Deleted real server, 1 Added fallback server'])
    clock.wind(10 * MINUTE)
    assert.deepEqual(subjects(), ['200 changes: 200 Inaccessible real server'])
    for (const host of hosts) {
      move(many, host, 'down', 'up')
      apply(add(host))
    }
    clock.wind(20 * MINUTE)
    assert.deepEqual(subjects(), ['200 changes: 200 Added real server'])
  })

  it('send three mails if there are three', () => {
    const { clock, subjects, apply } = running(many)
    apply(...hosts.slice(0, 3).map(host => remove(host)))
    clock.wind(2000)
    assert.equal(subjects().length, 3)
    apply(...hosts.slice(3, 7).map(host => remove(host)))
    clock.wind(2000)
    assert.deepEqual(subjects(), ['4 changes: 4 Deleted real server'])
  })

  it('send at most ten mails a minute, and every change is reported', () => {
    const { clock, letters, apply } = running(many)
    let told = 0
    for (let second = 0; second < 600; second++) {
      apply(second % 2 === 0 ? remove(hosts[0] ?? '') : add(hosts[0] ?? ''))
      told++
      clock.wind(1000)
    }
    clock.wind(2 * MINUTE)
    const texts = letters.map(({ text }) =>
      text.match(/^Log-Message: .*changes/m) ? (text.split('\n\n')[1] ?? '') : (text.split('\n')[1] ?? ''),
    )
    const mentioned = texts.join('\n').match(/(Deleted|Added) real server/g)?.length
    assert.equal(mentioned, told)
    assert.ok(letters.length <= 110, `${letters.length} mails in 10 minutes`)
    assert.ok(letters.length >= 20)
  })

  it('are reported to each list of recipients separately', () => {
    const other = {
      ...web(),
      name: 'mail',
      id: serviceId('2001:db8::25'),
      mail: { ...MAIL, to: ['mail@example.com'] },
    }
    const { clock, letters, apply } = opened(config([many, other]), 'running')
    apply(...hosts.map(host => remove(host)), remove(A, other.id as typeof ID))
    clock.wind(2000)
    assert.deepEqual(
      letters.map(({ route, subject }) => [route.to[0], subject]),
      [
        ['ops@example.com', '200 changes: 200 Deleted real server'],
        ['mail@example.com', `Deleted real server: [${A}]:80 ([2001:db8::25]:80)`],
      ],
    )
  })

  it('are counted, not listed, if there are more than 1000', () => {
    const crowd = Array.from({ length: 1200 }, (_, i) => real(`fd00:2::${(i + 1).toString(16)}`))
    const owner = web({ reals: crowd })
    const { clock, letters, apply, move } = running(owner)
    for (const { host } of crowd) move(owner, host, 'up', 'down')
    apply(...crowd.map(({ host }) => remove(host)))
    clock.wind(2000)
    assert.equal(letters.length, 1)
    assert.equal(letters[0]?.subject, '1200 changes: 1000 Deleted real server, 200 more')
  })
})

describe('mail-alerts: drift', () => {
  it('that is repaired is reported with the table of the kernel', () => {
    const { clock, subjects, apply } = running()
    const wanted = tableService(
      ID,
      [A, B].map(host => tableReal(host)),
    )
    const found = tableService(ID, [tableReal(A), tableReal('fd00:1::99')] satisfies TableReal[])
    apply(...diff(table(wanted), table(found), new Set()))
    clock.wind(2000)
    assert.deepEqual(subjects(), [
      `Added real server: ${keyOfReal(tableReal(B))} ${V} (Weight set to 1)`,
      `Purged real server (start): [fd00:1::99]:80 ${V}`,
    ])
  })
})

describe('mail-alerts: a panic', () => {
  const C = 'fd00:1::c'
  const panicking = () =>
    web({ reals: [real(A), real(B), real(C)], panic: { share: 50, within: 10_000, for: 900_000 } })
  const change = (owner: ResolvedService, isPanic: boolean, ...hosts: readonly string[]) => ({
    service: owner,
    isPanic,
    since: isPanic ? 1000 : 0,
    held: hosts.length,
    reals: owner.reals.filter(({ host }) => hosts.includes(host)),
    of: owner.reals.length,
  })

  it('is one mail that says what stays and what to do, and has the place of the mails about its servers', () => {
    const { clock, letters, subjects, move, apply, observer, owner } = running(panicking())
    move(owner, A, 'up', 'down')
    apply(remove(A))
    move(owner, B, 'up', 'down')
    observer.panic?.(change(owner, true, A, B))
    apply(add(A))
    // The burst is not over.
    clock.wind(1000)
    move(owner, C, 'up', 'down')
    clock.wind(1000)
    const [{ subject, text } = { subject: '', text: '' }] = letters
    assert.equal(subject, 'Panic: 3 of 3 real servers of web went down at once and keep their weights')
    assert.equal(
      text,
      `ldirectord host: director1
Log-Message: ${subject}
Daemon-Status: running

These real servers fail their checks and stay in the table with their weights:
  [${A}]:80 -- refused: refused
  [${B}]:80 -- refused: refused
  [${C}]:80 -- refused: refused

Checks go on. There are no mails about single servers of this service meanwhile.
The panic ends when enough servers pass again, or at 1970-01-01 00:15:00Z at the latest. Servers that
fail then are taken out.

What to do: look for what these servers have in common, such as a switch, a database or a release.
  lvsd why web
  lvsd disable web/SERVER    takes one out at once
`,
    )
    assert.equal(subjects().length, 1)
    move(owner, C, 'down', 'up')
    clock.wind(MINUTE)
    assert.deepEqual(subjects(), [])
  })

  it('has a mail when it is over, and then single servers have mails again', () => {
    const { clock, letters, subjects, move, apply, observer, owner } = running(panicking())
    for (const host of [A, B]) move(owner, host, 'up', 'down')
    observer.panic?.(change(owner, true, A, B))
    clock.wind(2000)
    subjects()
    move(owner, A, 'down', 'up')
    observer.panic?.(change(owner, false))
    apply(remove(B))
    clock.wind(2000)
    const [over] = letters
    assert.equal(over?.subject, 'Panic over: the table of web follows the checks again, after 1s')
    assert.match(
      over?.text ?? '',
      /They are taken out now, or quiesced:\n {2}\[fd00:1::b\]:80 -- refused: refused\n$/,
    )
    assert.deepEqual(subjects().slice(1), [`Deleted real server: [${B}]:80 ${V}`])
  })

  it('of many services is one mail that lists them', () => {
    const owners = Array.from({ length: 20 }, (_, i) => {
      const id = serviceId(`2001:db8::1:${i + 1}`)
      return service(`s${i}`, { id, mail: MAIL, reals: [real(A), real(B)], panic: panicking().panic })
    })
    const { clock, observer, letters, move, subjects } = opened(config(owners))
    for (const owner of owners) for (const { host } of owner.reals) move(owner, host, 'unknown', 'up')
    observer.phase?.('running')
    clock.wind(MINUTE)
    subjects()
    for (const owner of owners) {
      for (const { host } of owner.reals) move(owner, host, 'up', 'down')
      observer.panic?.(change(owner, true, A, B))
    }
    clock.wind(2000)
    assert.deepEqual(
      letters.map(({ subject }) => subject),
      ['20 changes: 20 Panic'],
    )
    assert.match(
      letters[0]?.text ?? '',
      /Panic: 2 of 2 real servers of s7 went down at once and keep their weights/,
    )
  })
})

describe('mail-alerts: an isolation', () => {
  it('is one mail when it begins and one when it ends for each list of recipients; reminders wait', () => {
    const other = service('other', {
      id: serviceId('2001:db8::2'),
      mail: { ...MAIL, to: ['other@example.com'] },
      reals: [real(A)],
    })
    const owner = web({ mail: { ...MAIL, repeat: 5 * MINUTE } })
    const third = service('third', { id: serviceId('2001:db8::3'), mail: owner.mail, reals: [real(B)] })
    const { clock, letters, move, apply, observer, subjects } = opened(
      config([owner, other, third]),
      'running',
    )
    move(owner, A, 'unknown', 'down')
    apply(remove(A))
    clock.wind(MINUTE)
    subjects()
    const detail = 'the interface lan is down or has no carrier'
    observer.isolation?.({ isIsolated: true, since: 0, detail })
    clock.wind(2000)
    assert.deepEqual(
      letters.map(({ subject, route }) => [subject, route.to]),
      [
        ['Isolation: lvsd on director1 cannot reach any real server', ['ops@example.com']],
        ['Isolation: lvsd on director1 cannot reach any real server', ['other@example.com']],
      ],
    )
    assert.match(
      letters[0]?.text ?? '',
      /the interface lan is down or has no carrier\.\n\nThe table of this director stays/,
    )
    subjects()
    clock.wind(20 * MINUTE)
    assert.deepEqual(subjects(), [])
    observer.isolation?.({ isIsolated: false, since: 0, detail })
    clock.wind(2000)
    assert.deepEqual(
      subjects().map(subject => subject.replace(/after .*/, 'after …')),
      Array(2).fill('Isolation over: lvsd on director1 reaches real servers again, after …'),
    )
    clock.wind(5 * MINUTE)
    assert.deepEqual(subjects(), [`Inaccessible real server: [${A}]:80 ${V}`])
  })

  it('and a lost network each have their own mails, and reminders wait for the end of both', () => {
    const owner = web({ mail: { ...MAIL, repeat: 5 * MINUTE } })
    const { clock, letters, move, apply, observer, subjects } = opened(config([owner]), 'running')
    move(owner, A, 'unknown', 'down')
    apply(remove(A))
    clock.wind(MINUTE)
    subjects()
    const lost = { since: 0, detail: 'the gateway fe80::1%lan does not answer pings' }
    observer.connectivity?.({ isLost: true, ...lost })
    observer.isolation?.({ isIsolated: true, since: 0, detail: 'no route' })
    clock.wind(2000)
    assert.match(letters[0]?.text ?? '', /the gateway fe80::1%lan does not answer pings/)
    subjects()
    observer.isolation?.({ isIsolated: false, since: 0, detail: 'no route' })
    clock.wind(2000)
    subjects()
    clock.wind(20 * MINUTE)
    assert.deepEqual(subjects(), [])
    observer.connectivity?.({ isLost: false, ...lost })
    clock.wind(2000)
    assert.match(subjects().join(), /^Network back: the director director1 has its network again, after \d+/)
    clock.wind(5 * MINUTE)
    assert.deepEqual(subjects(), [`Inaccessible real server: [${A}]:80 ${V}`])
  })
})
