import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { OverrideOutcome } from '../../../../src/api/override-types.js'
import { openControlSocket } from '../../../../src/api/server.js'
import type { OverrideStatus } from '../../../../src/api/status-types.js'
import { EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/enable.js'
import { onCleanup } from '../../../support/after-each.js'
import { testContext } from '../../../support/context.js'
import { controlOf } from '../../../support/control.js'
import { temporaryFolder } from '../../../support/folder.js'

/** Runs the command where this override remains on the server, and none has ended. */
async function remaining(override: Pick<OverrideStatus, 'effect' | 'source' | 'who'>, TARGET = 'web/::12') {
  const since = '2026-11-29T02:00:00.000Z'
  const until = '2026-11-29T04:00:00.000Z'
  const whole = { weight: null, reason: '', since, until, rampUntil: null, ...override }
  const reals = [{ service: 'web', real: '[2001:db8:1::12]:80', override: whole }]
  const outcome: OverrideOutcome = { ok: true, message: '', ended: 0, isKept: true, reals }
  const control = controlOf({
    overrides: { give: async () => outcome, end: async () => outcome },
  })
  const socket = join(temporaryFolder(), 'lvsd.sock')
  const server = await openControlSocket(socket, control)
  onCleanup(() => server.close())
  const { context, out, err } = testContext()
  const options = { socket, yes: true, only: false, local: false, json: false }
  const exit = await command.run({ ...context, options, arguments: { TARGET } })
  assert.equal(exit, EXIT.problem)
  return { out: out(), err: err() }
}

describe('lvsd enable', () => {
  it('names the command that ends a maintenance window', async () => {
    const { out, err } = await remaining({
      effect: 'disable',
      source: 'window',
      who: 'window 0 2 * * sun UTC',
    })
    assert.match(out, /disable until .* by window 0 2 \* \* sun UTC/)
    assert.match(err, /^A maintenance window is open\. To end it early: lvsd windows end web\/::12$/m)
  })

  it('says that an override of the whole service ends there', async () => {
    const { out, err } = await remaining({ effect: 'drain', source: 'command', who: 'anna' })
    assert.match(out, /drain until .* by anna/)
    assert.match(err, /^The override is given to the whole service: lvsd enable web ends it$/m)
  })
  it('says that an override of a single server remains after those of its service', async () => {
    const { err } = await remaining({ effect: 'drain', source: 'command', who: 'anna' }, 'web')
    assert.equal(
      err,
      "web/[2001:db8:1::12]:80 has an override of its own: lvsd enable 'web/[2001:db8:1::12]:80' ends it\n",
    )
  })
})
