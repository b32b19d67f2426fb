import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openControlSocket } from '../../../../src/api/server.js'
import { type CommandError, EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/windows.js'
import { renderWindows } from '../../../../src/cli/terminal/windows.js'
import { comingWindows } from '../../../../src/core/coming-windows.js'
import type { MaintenanceWindow } from '../../../../src/core/model.js'
import { onCleanup } from '../../../support/after-each.js'
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
function shown(width: number, count = 2): readonly string[] {
  return renderWindows(comingWindows(SERVICES, NOW, count), NOW, { width, colour: false, zone: 'UTC' }).split(
    '\n',
  )
}

async function asked(WHAT: string | undefined, json = false) {
  const socket = join(temporaryFolder(), 'lvsd.sock')
  const document = { schema: 1, now: new Date(NOW).toISOString(), services: SERVICES } as const
  const server = await openControlSocket(socket, controlOf({ windows: () => document }))
  onCleanup(() => server.close())
  const { context, out } = testContext()
  const exit = await command.run({ ...context, options: { socket, json }, arguments: { WHAT } })
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

  for (const width of [40, 60, 80])
    it(`fits ${width} columns`, () => {
      for (const line of shown(width, 10)) assert.ok(line.length <= width, line)
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
    assert.equal(windows[1].drainedUntil, '2026-11-29T01:05:00.000Z')
    assert.equal(windows.length, 10)
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
    await command.run({ ...context, options: { socket: undefined, json: false }, arguments: { WHAT: file } })
    assert.match(out(), /\d\d 02:00 to 03:00/)
    writeFileSync(file, site.replace(/ {4}windows.*\n/, ''))
    await command.run({ ...context, options: { socket: undefined, json: false }, arguments: { WHAT: file } })
    assert.match(out(), /no maintenance windows$/m)
  })
})
