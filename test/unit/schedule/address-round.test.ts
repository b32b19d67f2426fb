import assert from 'node:assert/strict'
import type { SharedAddress } from '../../../src/core/address-conflict.js'
import type { HardwareLink } from '../../../src/netlink/link-layer.js'
import type { AskParts } from '../../../src/probe/ask-addresses.js'
import { askRound } from '../../../src/schedule/address-round.js'
import { FakeClock } from '../../support/fake-clock.js'
import { address, real, service } from '../../support/tables.js'

const VIRTUAL = '192.0.2.80'
const SHARED: ReadonlyMap<string, SharedAddress> = new Map([
  [VIRTUAL, { address: address(VIRTUAL), services: [service('web', { reals: [real('192.0.2.11')] })] }],
])
const link = (index: number, name: string, isEthernet = true): HardwareLink => ({
  ...{ index, name, isEthernet },
  hardware: `02:00:00:00:00:0${index}`,
})
const flags = { isTentative: false, isDeprecated: false, isTemporary: false }
const held = (text: string, at: number, scope: 'global' | 'link' = 'global') => ({
  ...{ address: address(text), link: at, prefix: 64, scope },
  ...flags,
})

/** One round on a machine with these addresses, of which machines with these hardware addresses answer. */
async function asking(own: readonly ReturnType<typeof held>[], machines: readonly string[] = []) {
  const asked: AskParts[] = []
  let readings = 0
  const result = await askRound({
    ...{ about: SHARED, all: SHARED, clock: new FakeClock() },
    paths: { addresses: () => own },
    linkLayer: {
      links: () => [link(2, 'eth0'), link(3, 'vrrp5'), link(4, 'tun0', false)],
      neighbours: () => {
        readings++
        return [{ address: address('192.0.2.11'), hardware: '02:00:00:00:00:11' }]
      },
    },
    ask: parts => {
      asked.push(parts)
      const [question] = parts.questions
      assert.ok(question)
      const answers = machines.map(hardware => ({ ...question, hardware }))
      return Promise.resolve({ answers, asked: parts.questions, refusal: null })
    },
  })
  return { ...result, links: asked.flatMap(({ links }) => [...links.values()]), readings }
}

describe('address-round', () => {
  it('names the real server that answers, and its interface', async () => {
    const { answers, held: here } = await asking([held(VIRTUAL, 2)], ['02:00:00:00:00:11'])
    assert.deepEqual([...here], [VIRTUAL])
    assert.deepEqual(
      answers.map(({ interface: name, who }) => [name, who.real]),
      [['eth0', '192.0.2.11']],
    )
  })

  it('leaves out the answers of interfaces of this machine itself, and reads no neighbours for them', async () => {
    const { answers, readings } = await asking([held(VIRTUAL, 2)], ['02:00:00:00:00:03', '02:00:00:00:00:04'])
    assert.deepEqual([answers, readings], [[], 0])
  })

  it('asks from the link-local address of each interface, and on Ethernet alone', async () => {
    const { links } = await asking([held(VIRTUAL, 2), held('fe80::2', 2, 'link')])
    assert.deepEqual(
      links.map(({ name, source }) => [name, source?.text ?? null]),
      [
        ['eth0', 'fe80::2'],
        ['vrrp5', null],
      ],
    )
  })

  it('asks nothing on a machine that has none of the addresses, or has them elsewhere', async () => {
    for (const own of [[], [held(VIRTUAL, 1)], [held(VIRTUAL, 4)]]) {
      const { held: here, links } = await asking(own)
      assert.deepEqual([here.size, links.length], [0, 0])
    }
  })
})
