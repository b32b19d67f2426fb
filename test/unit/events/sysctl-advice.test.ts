import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adviceFor, kernelAdvice, readConnectionSettings } from '../../../src/events/sysctl-advice.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'
import { config, service } from '../../support/tables.js'

const persistence = { timeout: 300, prefix: 128, engine: null }
const plain = service('plain')
const attributes = { ...plain.attributes, persistence }
const site = config([
  plain,
  service('sticky', { attributes }),
  service('drained', { quiescent: true }),
  service('both', { quiescent: true, attributes }),
])
const off = { expireQuiescentTemplate: false, expireNodestConn: false }

describe('sysctl-advice: advice about the kernel', () => {
  it('is for services whose clients stay with a server that has failed', () => {
    assert.deepEqual(adviceFor(site, off), [
      { key: 'expireQuiescentTemplate', services: ['both'] },
      { key: 'expireNodestConn', services: ['plain', 'sticky'] },
    ])
    assert.deepEqual(adviceFor(site, { expireQuiescentTemplate: true, expireNodestConn: true }), [])
    assert.deepEqual(adviceFor(site, { expireQuiescentTemplate: null, expireNodestConn: null }), [])
  })

  it('is given once, and for services that a reload brings', () => {
    const { log, lines } = recordingLog()
    const { config: tell } = kernelAdvice(log, () => off)
    const [first, ...rest] = site.services
    for (const services of [rest, rest, [first ?? plain, ...rest]]) tell?.(config(services))
    assert.deepEqual(
      lines.map(({ level, services, msg }) => [level, services, /expire_\w+=1/.exec(msg)?.[0]]),
      [
        [40, ['both'], 'expire_quiescent_template=1'],
        [30, ['sticky'], 'expire_nodest_conn=1'],
        [30, ['plain'], 'expire_nodest_conn=1'],
      ],
    )
  })

  it('is read from where the kernel says it, or not at all', () => {
    const place = mkdtempSync(join(tmpdir(), 'lvsd-advice-'))
    onCleanup(() => rmSync(place, { recursive: true }))
    writeFileSync(join(place, 'expire_quiescent_template'), '0\n')
    assert.deepEqual(readConnectionSettings(`${place}/`), {
      expireQuiescentTemplate: false,
      expireNodestConn: null,
    })
  })
})
