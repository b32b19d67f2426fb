import assert from 'node:assert/strict'
import { join } from 'node:path'
import { openControlSocket } from '../../../../src/api/server.js'
import { type CommandError, EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/events.js'
import { parseLine } from '../../../../src/cli/parse.js'
import { EventMemory } from '../../../../src/history/event-memory.js'
import { onCleanup } from '../../../support/after-each.js'
import { testContext } from '../../../support/context.js'
import { controlOf } from '../../../support/control.js'
import { temporaryFolder } from '../../../support/folder.js'
import { recordingLog } from '../../../support/logs.js'

/** Runs the command where the daemon knows one event. */
async function events(...words: readonly string[]) {
  const memory = EventMemory.inMemory(recordingLog('silent').log)
  onCleanup(() => memory.close(1000))
  const of = { service: 'web', real: '[fd00::1]:80', effect: 'drain', who: 'anna', by: 'bob' }
  memory.log.info('override.ended-early', of, 'an operator has ended an override')
  const socket = join(temporaryFolder(), 'lvsd.sock')
  const server = await openControlSocket(socket, controlOf({ events: memory }))
  onCleanup(() => server.close())
  const { context, out, err } = testContext()
  const env = { LVSD_SOCKET: socket }
  const exit = await command.run({ ...context, env, ...parseLine(command as never, [...words]) } as never)
  return { exit, out: out(), err: err() }
}

describe('lvsd events', () => {
  it('tells who ended an override', async () => {
    const { out } = await events()
    assert.match(out, / web\/\[fd00::1\]:80 {2}bob ended the override: drain by anna$/m)
  })

  it('takes the name of an event, or the beginning of names', async () => {
    for (const name of ['override.ended-early', 'override.*', '*'])
      assert.match((await events('--event', name)).out, /bob ended/)
    const none = await events('--event', 'real.*')
    assert.deepEqual([none.exit, none.err], [EXIT.ok, 'no event matches\n'])
  })

  const wrong: [name: string, message: RegExp][] = [
    ['reel.down', /^there is no event "reel\.down"; did you mean "real\.down"\?/],
    ['xyzzy.*', /^there is no event "xyzzy\.\*"; config\/reference\.md lists them/],
    // A line of the log that is no event.
    ['run.result', /^there is no event "run\.result"/],
  ]
  for (const [name, message] of wrong)
    it(`refuses --event ${name}`, async () => {
      await assert.rejects(
        events('--event', name),
        (error: CommandError) => error.exit === EXIT.usage && message.test(error.message),
      )
    })
})
