import assert from 'node:assert/strict'
import type { DaemonPhase, ResolvedService } from '../../../../src/core/model.js'
import { type Item, singleMessage, summaryMessage } from '../../../../src/notify/mail/message.js'
import { describeEvent } from '../../../../src/notify/mail/server-event.js'
import { service, serviceId } from '../../../support/tables.js'

const ID = serviceId('2001:db8::1')
const ROUTE = { to: ['ops@example.com'], from: null, server: null }
const AT = Date.parse('2026-11-22T01:58:54.321Z')

function item(
  server: string,
  {
    word = 'Deleted' as 'Deleted' | 'Added',
    phase = 'running' as DaemonPhase,
    reason = null as string | null,
  },
  parts: Partial<ResolvedService> = {},
): Item {
  const news = describeEvent(service('web', parts), ID, {
    word,
    server,
    tag: 'real',
    weight: word === 'Added' ? 2 : null,
  })
  return { news, phase, at: AT, reason }
}

const lines = (...each: readonly string[]) => each.map(line => `${line}\n`).join('')

describe('message: a mail about one server', () => {
  it('has the text of ldirectord', () => {
    const { subject, text } = singleMessage(item('[fd00::a]:80', {}), ROUTE, 'director1')
    assert.equal(subject, 'Deleted real server: [fd00::a]:80 ([2001:db8::1]:80)')
    assert.equal(
      text,
      lines('ldirectord host: director1', `Log-Message: ${subject}`, 'Daemon-Status: running'),
    )
  })

  it('names the service and the reason', () => {
    const parts = { label: 'Shop front', comment: 'call the web team' }
    const down = item('[fd00::a]:80', { phase: 'starting', reason: 'refused: connection refused' }, parts)
    const { subject, text } = singleMessage(down, ROUTE, 'director1')
    assert.equal(subject, '[Shop front] Deleted real server: [fd00::a]:80 ([2001:db8::1]:80)')
    assert.equal(
      text,
      lines(
        'ldirectord host: director1',
        `Log-Message: ${subject}`,
        'Daemon-Status: starting',
        '',
        'Service name: Shop front',
        'Comment: call the web team',
        'Reason: refused: connection refused',
      ),
    )
  })
})

describe('message: a mail about many servers', () => {
  it('counts them in its subject and lists them', () => {
    const items = [
      item('[fd00::a]:80', { word: 'Added' }),
      item('[fd00::b]:80', { reason: 'timeout: no answer' }, { label: 'Shop' }),
      item('[fd00::c]:80', { phase: 'reloading' }),
    ]
    const { subject, text, at } = summaryMessage(items, 0, ROUTE, 'director1')
    assert.equal(subject, '3 changes: 2 Deleted real server, 1 Added real server')
    assert.equal(at, AT)
    assert.equal(
      text,
      lines(
        'ldirectord host: director1',
        `Log-Message: ${subject}`,
        'Daemon-Status: running, reloading',
        '',
        '2026-11-22 01:58:54Z Added real server: [fd00::a]:80 ([2001:db8::1]:80) (Weight set to 2)',
        '2026-11-22 01:58:54Z [Shop] Deleted real server: [fd00::b]:80 ([2001:db8::1]:80) -- timeout: no answer',
        '2026-11-22 01:58:54Z Deleted real server: [fd00::c]:80 ([2001:db8::1]:80)',
      ),
    )
  })

  it('names the service if all servers belong to it', () => {
    const items = ['a', 'b'].map(host => item(`[fd00::${host}]:80`, {}, { label: 'Shop' }))
    const { subject } = summaryMessage(items, 0, ROUTE, 'director1')
    assert.equal(subject, '[Shop] 2 changes: 2 Deleted real server')
  })

  it('states the number of servers that it omits', () => {
    const { subject, text } = summaryMessage([item('[fd00::a]:80', {})], 41, ROUTE, 'director1')
    assert.equal(subject, '42 changes: 1 Deleted real server, 41 more')
    assert.match(text, /… and 41 more, in the log of lvsd\n$/)
  })
})
