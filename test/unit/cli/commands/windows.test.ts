import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EndWindowsRequest } from '../../../../src/api/override-types.js'
import { openControlSocket } from '../../../../src/api/server.js'
import type { EndedWindow } from '../../../../src/api/windows-types.js'
import { type CommandError, EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/windows.js'
import { renderWindows } from '../../../../src/cli/terminal/windows.js'
import { comingWindows } from '../../../../src/core/coming-windows.js'
import type { MaintenanceWindow } from '../../../../src/core/model.js'
import { onCleanup } from '../../../support/after-each.js'
import { serviceStatus, statusDocument } from '../../../support/cli/documents.js'
import { testContext } from '../../../support/context.js'
import { controlOf } from '../../../support/control.js'
import { temporaryFolder } from '../../../support/folder.js'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-28T17:30Z')
const SUNDAY: MaintenanceWindow = {
  at: '0 2 * * sun',
  zone: 'Europe/Berlin',
  for: 2 * HOUR,
  drain: 300_000,
  reals: ['[2001:db8:1::11]:80'],
  reason: 'kernel updates',
}
const SERVICES = [
  { name: 'web', windows: [SUNDAY] },
  {
    name: 'mail/25',
    windows: [{ ...SUNDAY, at: '0 17 * * *', zone: 'UTC', drain: 0, reals: null, reason: '' }],
  },
]

/** The lines for people, in UTC. */
function shown(width: number, count = 2, ended: readonly EndedWindow[] = []): readonly string[] {
  const view = { width, colour: false, zone: 'UTC', ended }
  return renderWindows(comingWindows(SERVICES, NOW, count), NOW, view).split('\n')
}

const ENDED: readonly EndedWindow[] = [
  {
    service: 'mail/25',
    real: null,
    window: 'window 0 17 * * * UTC',
    begin: '2026-11-28T17:00:00.000Z',
    until: '2026-11-28T19:00:00.000Z',
    at: '2026-11-28T17:20:00.000Z',
    who: 'anna',
  },
]

async function asked(WHAT: string | undefined, json = false, TARGET?: string) {
  const socket = join(temporaryFolder(), 'lvsd.sock')
  const document = {
    schema: 1,
    now: new Date(NOW).toISOString(),
    services: SERVICES,
    coming: [],
    ended: ENDED,
  } as const
  const endWindows = async ({ targets }: EndWindowsRequest) => {
    const isOpen = targets.every(({ service }) => service === 'mail/25')
    const message = isOpen ? '' : 'no maintenance window is open there'
    const reals = targets.map(({ service, real }) => ({ service, real: real ?? '', override: null }))
    return { ok: true, message, ended: isOpen ? targets.length : 0, isKept: true, reals }
  }
  const services = SERVICES.map(({ name }) => serviceStatus({ name }))
  const status = async () => statusDocument({ services })
  const server = await openControlSocket(
    socket,
    controlOf({ windows: () => document, status, overrides: { endWindows } }),
  )
  onCleanup(() => server.close())
  const { context, out } = testContext()
  const exit = await command.run({
    ...context,
    options: { socket, json, yes: true, only: false, local: false },
    arguments: { WHAT, TARGET },
  })
  assert.equal(exit, EXIT.ok)
  return out()
}

describe('lvsd windows', () => {
  it('shows when, here and in the zone of the window, and what', () => {
    assert.deepEqual(shown(100), [
      'open      Sat 2026-11-28 17:00 to 19:00 UTC',
      '          mail/25, 1h30m left',
      'in 7h30m  Sun 2026-11-29 02:00 to 04:00 Europe/Berlin (here Sun 2026-11-29 01:00 to 03:00)',
      '          web/[2001:db8:1::11]:80, 5m of drain first: kernel updates',
    ])
  })

  it('shows which open windows an operator has ended early, and for whom', () => {
    const lines = shown(100, 1, ENDED)
    assert.match(lines[0] ?? '', /^ended {2}Sat 2026-11-28 17:00 to 19:00 UTC$/)
    assert.match(lines[2] ?? '', /^ {7}mail\/25: ended early at .*\d\d:20:00 by anna$/)
    const one = ENDED.map(end => ({ ...end, real: '[fd00::1]:25' }))
    assert.match(shown(100, 1, one)[0] ?? '', /^open /)
    assert.match(shown(100, 1, one)[2] ?? '', /mail\/25\/\[fd00::1\]:25: ended early/)
    const past = ENDED.map(end => ({ ...end, begin: '2026-11-27T17:00:00.000Z' }))
    assert.equal(shown(100, 1, past).length, 2)
  })

  it('ends the windows of a target, and says so if none is open', async () => {
    assert.match(await asked('end', false, 'mail/25'), /no override: its checks decide/)
    await assert.rejects(asked('end', false, 'web'), (error: CommandError) => {
      assert.deepEqual(
        [error.exit, error.message],
        [EXIT.problem, 'no maintenance window is open there; lvsd windows shows the next ones'],
      )
      return true
    })
    await assert.rejects(asked('web', false, 'web'), /to end a window: lvsd windows end TARGET/)
  })

  for (const width of [40, 60, 80])
    it(`fits ${width} columns`, () => {
      for (const line of shown(width, 10, ENDED)) assert.ok(line.length <= width, line)
    })

  it('asks the daemon, for all services or for one', async () => {
    const { windows, schema } = JSON.parse(await asked(undefined, true))
    assert.equal(schema, 1)
    assert.deepEqual(
      windows.slice(0, 2).map((one: { services: unknown; open: unknown }) => [one.services, one.open]),
      [
        [['mail/25'], true],
        [['web'], false],
      ],
    )
    assert.deepEqual(windows[1].inZone, { begin: '2026-11-29 02:00', end: '2026-11-29 04:00' })
    const { service, real, at, who } = ENDED[0] as EndedWindow
    assert.deepEqual(windows[0].endedEarly, [{ service, real, at, who }])
    assert.equal(windows[1].drainedUntil, '2026-11-29T01:05:00.000Z')
    assert.equal(windows.length, 6)
    assert.doesNotMatch(await asked('mail'), /web/)
    await assert.rejects(asked('wep'), (error: CommandError) => {
      assert.equal(error.exit, EXIT.usage)
      assert.match(error.message, /there is no service "wep"; did you mean "web"\?/)
      return true
    })
  })

  it('reads a configuration', async () => {
    const file = join(temporaryFolder(), 'site.yaml')
    const site = `services:
  web:
    virtual: '[2001:db8::80]:80'
    check: connect
    windows: [{ at: '0 2 * * *', for: 1h }]
    reals: ['[2001:db8:1::11]:80']
`
    writeFileSync(file, site)
    const { context, out } = testContext()
    await command.run({
      ...context,
      options: { socket: undefined, json: false, yes: false, only: false, local: false },
      arguments: { WHAT: file, TARGET: undefined },
    })
    assert.match(out(), /\d\d 02:00 to 03:00/)
    writeFileSync(file, site.replace(/ {4}windows.*\n/, ''))
    await command.run({
      ...context,
      options: { socket: undefined, json: false, yes: false, only: false, local: false },
      arguments: { WHAT: file, TARGET: undefined },
    })
    assert.match(out(), /no maintenance windows$/m)
  })
})
