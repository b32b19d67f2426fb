import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { ReverseDnsCache } from '../../../src/names/reverse-dns.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { address } from '../../support/tables.js'

function stage(known: Record<string, string[]> = {}) {
  const asked = new Map<string, (names: readonly string[] | null) => void>()
  const state = { news: 0 }
  const resolver = {
    names: ({ text }: { text: string }) =>
      new Promise<readonly string[] | null>(resolve => {
        assert.equal(asked.has(text), false, 'asked twice at a time')
        asked.set(text, resolve)
      }),
  }
  const clock = new FakeClock()
  const names = new ReverseDnsCache(resolver, Object.entries(known), () => state.news++, clock)
  onCleanup(() => names.close())
  const answer = async (text: string, found: readonly string[] | null) => {
    asked.get(text)?.(found)
    asked.delete(text)
    await setImmediate()
    clock.wind(100)
    await setImmediate()
  }
  return { names, asked, answer, state }
}

const ALL = ['fd00:1::1', 'fd00:1::2', '192.0.2.3'].map(address)
const [ONE = address('::1')] = ALL

describe('reverse-dns: the names of addresses', () => {
  it('are requested at the same time, and each answer is used at once', async () => {
    const { names, asked, answer, state } = stage()
    const done = names.refresh(ALL, false)
    assert.deepEqual(
      [...asked.keys()],
      ALL.map(({ text }) => text),
    )
    await answer(ONE.text, ['web1.example', 'web1'])
    assert.deepEqual([state.news, names.of(ONE)], [1, ['web1.example', 'web1']])
    for (const { text } of ALL.slice(1)) await answer(text, [])
    await done
    assert.equal(state.news, 1)
  })

  it('are requested again only on a refresh, and not while a request is outstanding', async () => {
    const { names, asked, answer } = stage()
    void names.refresh([ONE], false)
    void names.refresh([ONE], true)
    await answer(ONE.text, [])
    void names.refresh([ONE], false)
    assert.equal(asked.size, 0)
    void names.refresh([ONE], true)
    assert.equal(asked.size, 1)
  })

  it('are known from an earlier run until there is an answer', async () => {
    const { names, answer, state } = stage({ [ONE.text]: ['web1'] })
    assert.deepEqual(names.of(ONE), ['web1'])
    void names.refresh([ONE], false)
    await answer(ONE.text, null)
    assert.deepEqual([state.news, names.of(ONE)], [0, ['web1']])
    void names.refresh([ONE], false)
    await answer(ONE.text, [])
    assert.deepEqual([state.news, names.of(ONE)], [1, []])
  })
})
