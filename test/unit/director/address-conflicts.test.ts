import assert from 'node:assert/strict'
import type { NamedAnswer } from '../../../src/core/address-conflict.js'
import type { ResolvedService, Settings } from '../../../src/core/model.js'
import { AddressConflicts } from '../../../src/director/address-conflicts.js'
import type { AddressRoundResult } from '../../../src/schedule/address-round.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLog } from '../../support/logs.js'
import { address, real, service, serviceId } from '../../support/tables.js'

const [FIRST, SECOND] = ['192.0.2.80', '192.0.2.81']
const web = (name: string, text: string) =>
  service(name, { id: serviceId(text, 80), reals: [real('192.0.2.11')] })
const SERVICES = [web('first', FIRST), web('second', SECOND)]

/** A director that has these addresses; `answering` are those for which another machine answers. */
function rig({ refusal = null as string | null, fails = '' } = {}) {
  const clock = new FakeClock()
  const { log, lines } = recordingLog()
  const [held, answering, asked] = [new Set([FIRST, SECOND]), new Set<string>(), [] as string[]]
  let [hear, opened]: [(texts: ReadonlySet<string> | null) => void, number] = [() => {}, 0]
  const conflicts = new AddressConflicts({
    log,
    clock,
    async ask({ about }): Promise<AddressRoundResult> {
      asked.push([...about.keys()].join(' '))
      if (fails !== '') throw new Error(fails)
      const here = new Set([...about.keys()].filter(text => held.has(text)))
      const answers = [...here].filter(text => answering.has(text)).map(answerFor)
      return { held: here, asked: here, answers, refusal }
    },
    openEvents(onChange) {
      hear = onChange
      opened++
      return { close: () => void opened-- }
    },
  })
  onCleanup(() => conflicts.close())
  const follow = (
    conflictCheck: Settings['conflictCheck'],
    services: readonly ResolvedService[] = SERVICES,
  ) => conflicts.follow({ services, settings: { conflictCheck } as Settings })
  return {
    ...{ clock, conflicts, follow, held, answering },
    hear: (...texts: string[]) => hear(new Set(texts)),
    lose: () => hear(null),
    opened: () => opened,
    /** Winds the clock second by second, and returns what was asked about. */
    async seconds(count: number): Promise<string[]> {
      for (let i = 0; i < count; i++) {
        clock.wind(1000)
        await new Promise(setImmediate)
      }
      return asked.splice(0)
    },
    told: () => lines.splice(0).map(({ event, address: text }) => `${event} ${text ?? ''}`.trim()),
    texts: () => lines.splice(0).map(({ msg }) => msg),
  }
}

function answerFor(text: string): NamedAnswer {
  return {
    ...{ address: address(text), link: 2, interface: 'eth0', hardware: '02:00:00:00:00:11' },
    who: { real: '192.0.2.11', address: '192.0.2.11' },
  }
}

const BOTH = `${FIRST} ${SECOND}`

describe('director: questions about virtual addresses', () => {
  it('come two seconds after the start, and then at their interval', async () => {
    const { follow, seconds } = rig()
    follow(60_000)
    assert.deepEqual(await seconds(1), [])
    assert.deepEqual(await seconds(1), [BOTH])
    assert.deepEqual(await seconds(59), [])
    assert.deepEqual(await seconds(1), [BOTH])
  })

  it('come again soon when an address of this machine that is virtual comes or goes, or any may have', async () => {
    const { follow, seconds, hear, lose } = rig()
    follow(60_000)
    await seconds(10)
    hear('192.0.2.1')
    assert.deepEqual(await seconds(10), [])
    hear(SECOND)
    assert.deepEqual(await seconds(3), [BOTH])
    lose()
    assert.deepEqual(await seconds(3), [BOTH])
  })

  it('come again soon after a reload that changes services, and not after one that does not', async () => {
    const { follow, seconds } = rig()
    follow(60_000, SERVICES.slice(0, 1))
    assert.deepEqual(await seconds(10), [FIRST])
    follow(60_000)
    assert.deepEqual(await seconds(10), [BOTH])
    follow(60_000)
    assert.deepEqual(await seconds(10), [])
  })

  it('come every five seconds for an address that another machine answers for, until it is over', async () => {
    const { follow, seconds, answering, told, conflicts } = rig()
    answering.add(SECOND)
    follow(60_000)
    assert.deepEqual(await seconds(2), [BOTH])
    assert.deepEqual([told(), conflicts.of(SERVICES[1] as ResolvedService)], [[], []])
    assert.deepEqual(await seconds(5), [SECOND])
    assert.deepEqual(told(), [`address.conflict ${SECOND}`])
    assert.deepEqual(
      SERVICES.map(one => conflicts.of(one).map(({ who }) => who.real)),
      [[], ['192.0.2.11']],
    )
    answering.clear()
    assert.deepEqual(await seconds(10), [SECOND, SECOND])
    assert.deepEqual(told(), [`address.conflict-over ${SECOND}`])
    assert.deepEqual(await seconds(43), [])
    assert.deepEqual(await seconds(2), [BOTH])
  })

  it('end a conflict when the address leaves this machine, the configuration, or with none', async () => {
    const ways: ((one: ReturnType<typeof rig>) => void)[] = [
      ({ held }) => void held.delete(FIRST),
      ({ follow }) => follow(60_000, SERVICES.slice(1)),
      ({ follow }) => follow(null),
    ]
    for (const way of ways) {
      const one = rig()
      one.answering.add(FIRST)
      one.follow(60_000)
      await one.seconds(10)
      assert.deepEqual(one.told(), [`address.conflict ${FIRST}`])
      way(one)
      await one.seconds(5)
      assert.deepEqual(one.told(), [`address.conflict-over ${FIRST}`])
    }
  })

  it('that end because the address has left do not tell that no other machine answers', async () => {
    for (const [hasLeft, text] of [
      [true, `${FIRST}: this machine does not have it, or does not ask about it, any more`],
      [false, `${FIRST}: no other machine answers for it any more`],
    ] as const) {
      const { answering, follow, seconds, held, texts } = rig()
      answering.add(FIRST)
      follow(60_000)
      await seconds(10)
      texts()
      if (hasLeft) held.delete(FIRST)
      else answering.clear()
      await seconds(10)
      assert.deepEqual(texts(), [text])
    }
  })

  it('are not asked with none, nor without virtual addresses, and leave nothing open', async () => {
    const one = rig()
    one.follow(null)
    one.follow(60_000, [])
    assert.deepEqual([await one.seconds(100), one.opened()], [[], 0])
    const marked = service('marked', { id: { kind: 'fwmark', fwmark: 1, family: 'ipv4' } })
    one.follow(60_000, [marked])
    assert.deepEqual(await one.seconds(100), [])
    one.follow(60_000)
    assert.equal(one.opened(), 1)
    await one.conflicts.close()
    assert.deepEqual([await one.seconds(100), one.opened(), one.clock.alarms, one.told()], [[], 0, 0, []])
  })

  it('that may not be asked are told of once, and stop nothing', async () => {
    for (const trouble of [{ refusal: 'EPERM' }, { fails: 'the kernel gives no answer' }]) {
      const { follow, seconds, told } = rig(trouble)
      follow(60_000)
      assert.equal((await seconds(200)).length, 4)
      assert.deepEqual(told(), ['address.not-asked'])
    }
  })
})
