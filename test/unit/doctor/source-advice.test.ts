import assert from 'node:assert/strict'
import type { Address } from '../../../src/core/address.js'
import type { Source } from '../../../src/doctor/facts.js'
import { sourceAdvice } from '../../../src/doctor/source-advice.js'
import { recordingLog } from '../../support/logs.js'
import { config, real, service } from '../../support/tables.js'

const site = config([service('web', { reals: [real('2001:db8:1::1'), real('2001:db8:1::2')] })])

/** Says that the kernel chooses this source for every server. */
const always = (source: string) => async (addresses: readonly Address[]) =>
  new Map<string, Source>(addresses.map(({ text }) => [text, { address: source }]))

describe('source-advice', () => {
  it('tells once that a virtual address is the source of checks', async () => {
    const { log, lines } = recordingLog()
    const advice = sourceAdvice(log, always('2001:db8::80'))
    for (let i = 0; i < 2; i++) {
      advice.config?.(site)
      await advice.idle()
    }
    assert.deepEqual(
      lines.map(({ event, address, services }) => [event, address, services]),
      [['check.virtual-source', '2001:db8::80', ['web']]],
    )
    assert.match(lines[0]?.msg ?? '', /checks of 2 real servers have the virtual address 2001:db8::80/)
  })

  it('is silent where the kernel chooses another address', async () => {
    const { log, lines } = recordingLog()
    const advice = sourceAdvice(log, always('2001:db8::d'))
    advice.config?.(site)
    await advice.idle()
    assert.deepEqual(lines, [])
  })
})
