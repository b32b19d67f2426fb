import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import type { ResolvedService } from '../../../src/core/model.js'
import { FallbackCommands } from '../../../src/notify/fallback-commands.js'
import { memoryJournal } from '../../../src/storage/journal.js'
import { recordingLog } from '../../support/logs.js'
import { config, service, serviceId } from '../../support/tables.js'

const VIRTUAL = '[2001:db8::80]:80 tcp'
const web = (fallbackcommand: string | null, parts: Partial<ResolvedService> = {}) =>
  service('web', { fallbackcommand, ...parts })

/** Commands end when the test says so; until then they run. */
function stage(journal = memoryJournal()) {
  const told: string[] = []
  const running: (() => void)[] = []
  const { log, lines } = recordingLog()
  const hooks = {
    run: (_: string, command: string, words: readonly string[]) => {
      told.push([command, ...words].join(' '))
      return new Promise<void>(resolve => running.push(resolve))
    },
    idle: async () => {},
    close: async () => {},
  }
  const settle = async () => {
    for (let i = 0; i < 5; i++) {
      await setImmediate()
      for (const end of running.splice(0)) end()
    }
  }
  const commands = new FallbackCommands({ queue: hooks, journal, log })
  return { commands, told, settle, lines, journal }
}

describe('fallback-commands: a fallbackcommand', () => {
  it('runs once when the last server is down, and once when the first one is up', async () => {
    const { commands, told, settle } = stage()
    for (const hasTraffic of [true, false, false, true, true]) {
      commands.traffic?.(web('sorry'), hasTraffic)
      await settle()
    }
    assert.deepEqual(told, [`sorry start ${VIRTUAL}`, `sorry stop ${VIRTUAL}`])
  })

  it('that takes long runs next with the last state of the service, without the states in between', async () => {
    const { commands, told, settle } = stage()
    for (const hasTraffic of [false, true, false, true, false, true])
      commands.traffic?.(web('slow'), hasTraffic)
    await setImmediate()
    assert.deepEqual(told, [`slow start ${VIRTUAL}`])
    await settle()
    assert.deepEqual(told, [`slow start ${VIRTUAL}`, `slow stop ${VIRTUAL}`])
  })

  it('of hundreds of services that go down at once cause one write of the journal', async () => {
    let writings = 0
    const journal = memoryJournal()
    const counting = { ...journal, begun: journal.begun, recordBegun: () => void writings++ }
    const { commands, told, settle } = stage(counting)
    for (let i = 0; i < 300; i++)
      commands.traffic?.(
        service(`web${i}`, { fallbackcommand: 'sorry', id: serviceId('2001:db8::1', i + 1) }),
        false,
      )
    await settle()
    assert.deepEqual([told.length, writings], [300, 1])
  })

  it('does not run again after a restart, but runs with stop if a server is up meanwhile', async () => {
    const before = stage()
    before.commands.traffic?.(web('sorry'), false)
    await before.settle()
    const still = stage(before.journal)
    still.commands.traffic?.(web('sorry'), false)
    await still.settle()
    assert.deepEqual(still.told, [])
    const back = stage(before.journal)
    back.commands.traffic?.(web('sorry'), true)
    await back.settle()
    assert.deepEqual(back.told, [`sorry stop ${VIRTUAL}`])
    assert.deepEqual([...before.journal.begun], [])
  })

  it('that a reload removes or replaces runs with stop, and the new one with start', async () => {
    const { commands, told, settle } = stage()
    commands.traffic?.(web('old'), false)
    await settle()
    commands.config?.(config([web('old')]))
    commands.config?.(config([web('new')]))
    await settle()
    commands.config?.(config([web(null)]))
    await settle()
    commands.config?.(config([web('late')]))
    await settle()
    commands.config?.(config([]))
    await settle()
    assert.deepEqual(told, [
      `old start ${VIRTUAL}`,
      `old stop ${VIRTUAL}`,
      `new start ${VIRTUAL}`,
      `new stop ${VIRTUAL}`,
      `late start ${VIRTUAL}`,
      `late stop ${VIRTUAL}`,
    ])
  })

  it('runs with stop if lvsd removes its service at a stop, and does not run if the service stays', async () => {
    const { commands, told, settle } = stage()
    const mail = service('mail', { fallbackcommand: 'sorry', id: serviceId('2001:db8::25', 25) })
    commands.traffic?.(web('sorry'), false)
    commands.traffic?.(mail, false)
    await settle()
    told.length = 0
    commands.phase?.('stopping')
    const { id } = mail
    if (id)
      commands.applied?.([{ op: 'delete-service', id, was: { ...mail.attributes, id, reals: new Map() } }])
    await settle()
    assert.deepEqual(told, ['sorry stop [2001:db8::25]:25 tcp'])
  })

  it('that a reload replaces and the next one restores at once does not run again', async () => {
    const { commands, told, settle } = stage()
    commands.traffic?.(web('one'), false)
    for (const command of ['two', 'one']) commands.config?.(config([web(command)]))
    await settle()
    assert.deepEqual(
      told.filter(call => call.startsWith('one')),
      [`one start ${VIRTUAL}`],
    )
    commands.traffic?.(web('one'), true)
    await settle()
    assert.equal(told.at(-1), `one stop ${VIRTUAL}`)
  })

  it('runs even if the journal cannot be written', async () => {
    const journal = memoryJournal()
    const full = { ...journal, begun: journal.begun, recordBegun: () => assert.fail('no space left') }
    const { commands, told, settle, lines } = stage(full)
    commands.traffic?.(web('sorry'), false)
    await settle()
    assert.deepEqual(told, [`sorry start ${VIRTUAL}`])
    assert.ok(lines.some(line => line.error === 'no space left'))
  })

  it('alternates between start and stop and ends with the state of the service, for any history', async () => {
    const event = fc.oneof(
      { weight: 5, arbitrary: fc.record({ traffic: fc.boolean() }) },
      { weight: 3, arbitrary: fc.constant({ settle: true }) },
      { weight: 1, arbitrary: fc.constant({ restart: true }) },
      { weight: 1, arbitrary: fc.record({ command: fc.constantFrom('one', 'two', null) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), async events => {
        const journal = memoryJournal()
        const told: string[] = []
        let now = stage(journal)
        let [command, hasTraffic]: [string | null, boolean] = ['one', true]
        const say = () => now.commands.traffic?.(web(command), hasTraffic)
        say()
        for (const each of events) {
          if ('traffic' in each) {
            if (hasTraffic === each.traffic) continue
            hasTraffic = each.traffic
            say()
          } else if ('command' in each) {
            command = each.command
            now.commands.config?.(config([web(command)]))
          } else {
            await now.settle()
            if (!('restart' in each)) continue
            told.push(...now.told)
            now = stage(journal)
            now.commands.config?.(config([web(command)]))
            say()
          }
        }
        await now.settle()
        told.push(...now.told)
        for (const one of ['one', 'two']) {
          const words = told.filter(call => call.startsWith(one)).map(call => call.split(' ')[1])
          const expected = words.map((_, i) => (i % 2 === 0 ? 'start' : 'stop'))
          assert.deepEqual(words, expected, told.join())
          const isBegun = words.length % 2 === 1
          assert.equal(isBegun, command === one && !hasTraffic, told.join())
        }
      }),
      { numRuns: 300 },
    )
  })
})
