/** With a real kernel and without other machines; those are in test/kernel/address-conflict.test.ts. */
import assert from 'node:assert/strict'
import { askAddresses } from '../../../src/probe/ask-addresses.js'
import { systemClock } from '../../../src/util/clock.js'
import { address } from '../../support/tables.js'

const ABSENT = 2 ** 30
const LINK = { index: ABSENT, name: 'absent', hardware: '02:00:00:00:00:0d', source: address('fe80::d') }
const ask = (texts: readonly string[], links: readonly (typeof LINK)[], signal?: AbortSignal) =>
  askAddresses({
    questions: texts.map(text => ({ address: address(text), link: ABSENT })),
    links: new Map(links.map(link => [link.index, link])),
    clock: systemClock,
    ...(signal && { signal }),
  })

describe('ask-addresses', () => {
  it('asks nothing on an interface that has gone, and says so', async () => {
    const { asked, answers, refusal } = await ask(['192.0.2.80', '2001:db8::80'], [LINK])
    assert.deepEqual([asked, answers], [[], []])
    // As any user but root neither socket may be opened.
    assert.equal(refusal, process.geteuid?.() === 0 ? null : 'EPERM')
  })

  it('ends at once when it is told to', async () => {
    const many = Array.from({ length: 2000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
    const { asked } = await ask(many, [], AbortSignal.abort())
    assert.deepEqual(asked, [])
    const controller = new AbortController()
    const asking = ask(many, [], controller.signal)
    controller.abort()
    await asking
  })
})
