/** The messages of verdicts, with a Redis of the test: what is late, what is lost, what is too much. */
import assert from 'node:assert/strict'
import type { SiteRedis } from '../../../../src/cluster/redis/site-redis.js'
import type { SharedVerdicts } from '../../../../src/cluster/verdicts/shared-verdicts.js'
import { VerdictLink } from '../../../../src/cluster/verdicts/verdict-link.js'
import { textOf } from '../../../../src/cluster/verdicts/verdict-text.js'
import type { Said } from '../../../../src/cluster/verdicts/verdict-types.js'
import { onCleanup } from '../../../support/after-each.js'
import { recordingLog } from '../../../support/logs.js'
import { until } from '../../../support/until.js'

const HEARTBEAT = 60_000
/** The clock of Redis is an hour ahead of that of this director. */
const AHEAD = 3_600_000
const OWN: Said = {
  ...{ id: 'own', host: 'own', instance: 'i', version: 0, base: 0, heartbeat: HEARTBEAT, oldest: null },
  ...{ isAble: true, config: 'c', votes: [], gone: [] },
}

function stage() {
  const heard: Said[] = []
  const loaded: Said[] = []
  const ran: string[] = []
  let missed = 0
  let looks = 0
  let answer: Promise<void> | null = null
  let hear = (_: string) => {}
  let stored: string | null = null
  const timeOf = () => [Math.floor((now() + AHEAD) / 1000), (((now() + AHEAD) % 1000) * 1000) | 0]
  const now = () => 5_000_000
  const redis = {
    status: { state: 'connected' },
    key: (...parts: readonly string[]) => parts.join(':'),
    run: async (command: string) => {
      ran.push(command)
      return command === 'TIME' ? timeOf() : stored
    },
    script: async (_lua: string, _keys: readonly string[], args: readonly (string | number)[]) => {
      ran.push('EVAL')
      await answer
      if (args[2] !== '') stored = String(args[2])
      return [...timeOf(), stored === null ? 0 : 1]
    },
    subscribe: (_channel: string, listener: (text: string) => void) => {
      hear = listener
      return () => {}
    },
    onChange: () => () => {},
  } as unknown as SiteRedis
  const verdicts = {
    look: () => looks++,
    toSay: () => OWN,
    allToSay: () => ({ ...OWN, base: null }),
    told: () => {},
    replace: () => {},
    heard: (said: Said) => heard.push(said) > 1 && said.id === 'other',
    loaded: (said: Said) => loaded.push(said),
    mayHaveMissed: () => missed++,
    hasNews: false,
  } as unknown as SharedVerdicts
  const link = new VerdictLink({ redis, verdicts, log: recordingLog().log, now })
  onCleanup(() => link.leave())
  const message = (at: number) => textOf({ ...OWN, id: 'other', at: now() + AHEAD + at })
  return {
    link,
    heard,
    loaded,
    ran,
    hear: (at: number) => hear(message(at)),
    flood: (text: string) => hear(text),
    missed: () => missed,
    looks: () => looks,
    answerAfter: (end: Promise<void>) => {
      answer = end
    },
    store: (text: string | null) => {
      stored = text
    },
    message,
  }
}

describe('verdict-link', () => {
  it('learns the clock of the site, and drops what was long on its way', async () => {
    const { link, heard, ran, hear } = stage()
    link.follow(HEARTBEAT)
    await until(() => ran.includes('EVAL'))
    assert.ok(Math.abs(link.offset - AHEAD) < 2)
    for (const at of [-HEARTBEAT - 100, HEARTBEAT + 100, -AHEAD]) hear(at)
    assert.equal(heard.length, 0)
    hear(-1000)
    assert.equal(heard.length, 1)
  })

  it('writes all again when the key is gone, and reads all of another one only once at a time', async () => {
    const { link, loaded, ran, hear, store, message } = stage()
    link.follow(HEARTBEAT)
    await until(() => ran.includes('EVAL'))
    store(null)
    link.sayNow()
    await until(() => ran.filter(command => command === 'EVAL').length === 3)
    store(message(0))
    hear(0)
    await until(() => loaded.length === 1)
    assert.equal(ran.filter(command => command === 'GET').length, 1)
  })

  it('reads a budget of messages, and counts the rest as missed', async () => {
    const { link, heard, hear, flood, missed, ran } = stage()
    link.follow(HEARTBEAT)
    await until(() => ran.includes('EVAL'))
    for (let i = 0; i < 20; i++) flood('x'.repeat(100_000))
    hear(0)
    assert.equal(heard.length, 0)
    assert.ok(missed() > 5)
  })

  it('reads a budget of all that directors say, whatever their number', async () => {
    const { link, ran, flood, message, store, loaded } = stage()
    link.follow(HEARTBEAT)
    await until(() => ran.includes('EVAL'))
    store('x'.repeat(1_500_000))
    for (let i = 0; i < 20; i++) {
      flood(message(0).replace('other', `other${i}`))
      // Each reading ends before the next message.
      await new Promise(setImmediate)
    }
    assert.equal(ran.filter(command => command === 'GET').length, 2)
    assert.deepEqual(loaded, [])
  })

  it('looks at the time while Redis does not answer', async () => {
    const { link, looks, ran, answerAfter } = stage()
    let answer = () => {}
    answerAfter(
      new Promise(resolve => {
        answer = resolve
      }),
    )
    link.follow(40)
    await until(() => looks() > 4)
    assert.equal(ran.filter(command => command === 'EVAL').length, 1)
    answer()
  })
})
