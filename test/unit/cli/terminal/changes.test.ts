import assert from 'node:assert/strict'
import { renderChanges, summaryOfChanges } from '../../../../src/cli/terminal/changes.js'
import type { Change, ServiceId } from '../../../../src/core/model.js'
import { SERVICE_ATTRIBUTES, serviceId, tableReal } from '../../../support/tables.js'

const web = serviceId('2001:db8::80')
const mail: ServiceId = { kind: 'fwmark', fwmark: 1, family: 'ipv6' }
const rr = { ...SERVICE_ATTRIBUTES, scheduler: 'rr' }

const changes: Change[] = [
  { op: 'set-service', id: web, service: { ...rr, scheduler: 'wlc' }, was: rr },
  { op: 'add-real', id: web, real: tableReal('2001:db8:1::11', { weight: 2, upper: 100 }) },
  {
    op: 'set-real',
    id: web,
    real: tableReal('2001:db8:1::12', { weight: 0, forwarding: 'gate' }),
    was: tableReal('2001:db8:1::12'),
  },
  { op: 'delete-real', id: web, was: tableReal('2001:db8:1::13') },
  {
    op: 'add-service',
    id: mail,
    service: {
      ...SERVICE_ATTRIBUTES,
      scheduler: 'sh',
      schedulerFlags: ['flag-2'],
      persistence: { timeout: 300, prefix: 64, engine: null },
    },
  },
  {
    op: 'delete-service',
    id: serviceId('2001:db8::80', 81),
    was: { ...rr, id: web, reals: new Map([['x', tableReal('::2')]]) },
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
