/** Pings over the loopback interface. */
import assert from 'node:assert/strict'
import { icmpPinger, type PingOutcome } from '../../../../src/cluster/connectivity/pinger.js'
import { type Address, parseAddress } from '../../../../src/core/address.js'

const address = (text: string) => parseAddress(text) as Address

function pinged(text: string, source: string | null = null): Promise<readonly [PingOutcome, string?]> {
  const pinger = icmpPinger(() => (source === null ? null : address(source)))
  return new Promise(resolve => {
    pinger.ping(address(text), (outcome: PingOutcome, error?: Error) =>
      resolve(error ? [outcome, error.message] : [outcome]),
    )
  })
}

describe('cluster: pings', () => {
  it('have a reply over IPv6 and IPv4', async () => {
    for (const text of ['::1', '127.0.0.1']) assert.deepEqual(await pinged(text), ['reply'])
  })

  it('are not sent from an address that is gone, which says nothing about the network', async () => {
    const [outcome, message] = await pinged('::1', '2001:db8::dead')
    assert.equal(outcome, 'not sent')
    assert.match(message ?? '', /EADDRNOTAVAIL|bind/)
  })

  it('can be given up', async () => {
    let answers = 0
    const cancel = icmpPinger(() => null).ping(address('::1'), () => {
      answers++
    })
    cancel()
    assert.deepEqual(await pinged('::1'), ['reply'])
    assert.equal(answers, 0)
  })
})
