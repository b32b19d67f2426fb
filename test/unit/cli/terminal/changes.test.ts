import assert from 'node:assert/strict'
import { renderChanges, summaryOfChanges } from '../../../../src/cli/terminal/changes.js'
import { type Address, parseAddress } from '../../../../src/core/address.js'
import type { Change, ServiceId, TableReal } from '../../../../src/core/model.js'

const web: ServiceId = { kind: 'address', protocol: 'tcp', address: address('2001:db8::80'), port: 80 }
const mail: ServiceId = { kind: 'fwmark', fwmark: 1, family: 'ipv6' }
const rr = { scheduler: 'rr', schedulerFlags: [], persistence: null, onePacket: false } as const

const changes: Change[] = [
  { op: 'set-service', id: web, service: { ...rr, scheduler: 'wlc' }, was: rr },
  { op: 'add-real', id: web, real: real('2001:db8:1::11', { weight: 2, upper: 100 }) },
  {
    op: 'set-real',
    id: web,
    real: real('2001:db8:1::12', { weight: 0, forwarding: 'gate' }),
    was: real('2001:db8:1::12', {}),
  },
  { op: 'delete-real', id: web, was: real('2001:db8:1::13', {}) },
  {
    op: 'add-service',
    id: mail,
    service: {
      scheduler: 'sh',
      schedulerFlags: ['flag-2'],
      persistence: { timeout: 300, prefix: 64, engine: null },
      onePacket: false,
    },
  },
  {
    op: 'delete-service',
    id: { ...web, port: 81 },
    was: { ...rr, id: web, reals: new Map([['x', real('::2', {})]]) },
  },
]

describe('changes for people', () => {
  it('read like a diff, grouped by service, with before and after', () => {
    const names = new Map([['tcp [2001:db8::80]:80', 'web']])
    assert.equal(
      renderChanges(changes, { colour: false, nameOf: key => names.get(key) }),
      `
~ tcp [2001:db8::80]:80  (web)  scheduler rr -> wlc
+     [2001:db8:1::11]:80  masq  weight 2  upper 100
~     [2001:db8:1::12]:80  forwarding masq -> gate, weight 1 -> 0
-     [2001:db8:1::13]:80  masq  weight 1

+ fwmark 1 ipv6  sh  flags flag-2  persistence 300s/64

- tcp [2001:db8::80]:81  rr
-     [::2]:80  masq  weight 1
`.trim(),
    )
  })

  it('are headed by their service where it does not change itself', () => {
    const text = renderChanges([changes[1] as Change], { colour: false })
    assert.equal(text, '  tcp [2001:db8::80]:80\n+     [2001:db8:1::11]:80  masq  weight 2  upper 100')
  })

  it('are counted', () => {
    assert.equal(summaryOfChanges(changes), '2 to add, 2 to change, 2 to remove.')
    assert.match(summaryOfChanges([]), /^Nothing to do/)
  })

  it('have colours only where asked', () => {
    assert.ok(!renderChanges(changes, { colour: false }).includes('\u001b'))
    assert.ok(renderChanges(changes, { colour: true }).includes('\u001b[32m+     [2001:db8:1::11]'))
  })
})

function address(text: string): Address {
  const parsed = parseAddress(text)
  assert.ok(parsed)
  return parsed
}

function real(text: string, change: Partial<TableReal>): TableReal {
  return {
    address: address(text),
    port: 80,
    forwarding: 'masq',
    tunnelPort: 0,
    tunnelChecksum: 'none',
    weight: 1,
    upper: 0,
    lower: 0,
    ...change,
  }
}
