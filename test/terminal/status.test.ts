import assert from 'node:assert/strict'
import { widthOf } from '../../src/terminal/columns.js'
import { renderStatus } from '../../src/terminal/status.js'
import { checkStatus, DOWN, NOW, realStatus, serviceStatus, statusDocument } from './documents.js'

const plain = { width: 120, colour: false, now: NOW }

describe('the status table', () => {
  it('shows services, servers, both weights, connections, state, time and the last result', () => {
    assert.equal(
      renderStatus(statusDocument(), plain),
      `
lvsd 0.1.0  up 2h05m  kernel table  /etc/lvsd/lvsd.yaml  pid 4242
1 service, 2 real servers: 1 up, 1 down · 2 checks, late 2.0ms · read 4s ago

web  tcp [2001:db8::80]:80  wlc  4711 connections
  STATE    FOR  SERVER               FORWARD  WEIGHT  KERNEL  ACTIVE  INACT   TOOK  LAST RESULT
  up     3m12s  [2001:db8:1::11]:80  masq         10      10       3     14  1.2ms  200 OK
  down      4s  [2001:db8:1::12]:80  masq          -      10       3     14  0.4ms
    refused: nobody listens on [2001:db8:1::12]:80
`.trim(),
    )
  })

  it('leaves out the less needful columns at 80', () => {
    const text = renderStatus(statusDocument(), { ...plain, width: 80 })
    assert.match(text, /STATE {4}FOR {2}SERVER .* WEIGHT {2}KERNEL {2}LAST RESULT$/m)
    assert.doesNotMatch(text, /FORWARD|TOOK|ACTIVE/)
  })

  it('gives the result a line of its own where long addresses fill the screen', () => {
    const host = '2001:db8:1234:5678:9abc:def0:1234:5678'
    const service = serviceStatus({ reals: [realStatus({ host }), { ...DOWN, host }] })
    const lines = renderStatus(statusDocument({ services: [service] }), { ...plain, width: 80 }).split('\n')
    assert.equal(lines.at(-1), '    refused: nobody listens on [2001:db8:1::12]:80')
    assert.match(lines.at(-2) ?? '', /^ {2}down +4s +\[2001:db8:1234:5678:9abc:def0:1234:5678\]:80 +- +10$/)
  })

  for (const width of [20, 40, 60, 80, 100, 120, 200])
    it(`never writes past ${width} columns`, () => {
      const text = renderStatus(eventful(), { ...plain, width, colour: true })
      for (const line of text.split('\n')) assert.ok(widthOf(line) <= width, line)
    })

  it('tells what needs attention', () => {
    const text = renderStatus(eventful(), { ...plain, width: 200 })
    assert.match(text, /^! the kernel refused: no scheduler "mh"/m)
    assert.match(text, /^! the last reload was refused: 2 errors/m)
    assert.match(text, /^! 3 changes by others were put right/m)
    assert.match(text, /^! lvsd itself was held up 1 time, 1.20s in all/m)
    assert.match(text, /^! 7 checks could not be made/m)
    assert.match(text, /^ {2}fallback \[2001:db8:1::99\]:80 takes the traffic$/m)
    assert.match(text, /^mail {2}its name does not resolve {2}rr {2}not in the table$/m)
  })

  it('lets nothing that a server said move the cursor', () => {
    const reason = 'unexpected: \u001b[2J\u001b]0;owned\u0007 \r\n \u202edetpyrcne'
    const service = serviceStatus({ reals: [realStatus({ state: 'down', reason })] })
    const text = renderStatus(statusDocument({ services: [service] }), { ...plain, width: 200 })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202e]/)
    assert.match(text, /unexpected: ·\[2J·\]0;owned· ·detpyrcne$/)
  })

  it('is plain without colours and the same text with them', () => {
    const bare = renderStatus(eventful(), plain)
    const painted = renderStatus(eventful(), { ...plain, colour: true })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with it
    assert.equal(painted.replaceAll(/\u001b\[[\d;]*m/g, ''), bare)
    assert.ok(painted.includes('\u001b[31mdown'))
  })

  it('shows a server that has not been checked yet', () => {
    const real = realStatus({
      state: 'unknown',
      reason: 'not checked yet',
      counters: null,
      checks: [checkStatus({ state: 'unknown', last: null })],
    })
    const text = renderStatus(statusDocument({ services: [serviceStatus({ reals: [real] })] }), plain)
    assert.match(text, /0 up, 0 down, 1 not checked yet/)
    assert.match(text, /unknown .* - +- +- +not checked yet$/m)
  })
})

function eventful() {
  return statusDocument({
    kernel: 'memory',
    lastReload: { ok: false, at: new Date(NOW).toISOString(), message: '2 errors', problems: [] },
    reconcile: {
      lastResync: null,
      changesApplied: 3,
      driftRepaired: 3,
      errors: ['the kernel refused: no scheduler "mh"'],
    },
    schedule: {
      jobs: 2,
      running: 0,
      lateness: { p50: 0, p99: 0, max: 0 },
      stalls: 1,
      stalledFor: 1200,
      noVerdicts: 7,
    },
    services: [
      serviceStatus({
        quiescent: true,
        reals: [DOWN],
        fallback: { host: '2001:db8:1::99', port: 80, inUse: true },
      }),
      serviceStatus({
        name: 'mail',
        key: null,
        scheduler: 'rr',
        inKernel: false,
        counters: null,
        reals: [realStatus({ host: 'mail1.example', port: 25 })],
      }),
    ],
  })
}
