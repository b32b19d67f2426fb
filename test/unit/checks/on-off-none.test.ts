import assert from 'node:assert/strict'
import { check as none } from '../../../checks/none.js'
import { check as off } from '../../../checks/off.js'
import { check as on } from '../../../checks/on.js'
import { probe } from '../../support/probe.js'
import { refusedPort } from '../../support/servers.js'

describe('on-off-none: on, off and none', () => {
  it('on and none are up where nobody listens', async () => {
    const port = await refusedPort()
    assert.equal((await probe(on, port)).ok, true)
    assert.equal((await probe(none, port)).ok, true)
  })

  it('off is down, with itself as the reason', async () => {
    const { ok, reason } = await probe(off, await refusedPort())
    assert.deepEqual({ ok, reason }, { ok: false, reason: 'off' })
  })
})
