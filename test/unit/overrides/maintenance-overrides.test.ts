import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Address } from '../../../src/core/address.js'
import { MaintenanceOverrides } from '../../../src/overrides/maintenance-overrides.js'
import { memoryJournal } from '../../../src/storage/journal.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { config, real, service } from '../../support/tables.js'

const SITE = config([service('web', { reals: [real('fd00:1::a')] })])

function overrides() {
  const asked: string[] = []
  const clock = new FakeClock()
  const names = async ({ text }: Address) => {
    asked.push(text)
    return []
  }
  const { log } = recordingLog()
  const journal = memoryJournal()
  const made = new MaintenanceOverrides({
    log,
    clock,
    journal,
    resolver: { names },
    onChange: () => {},
  })
  onCleanup(() => made.close())
  return { made, asked, clock, journal }
}

describe('MaintenanceOverrides', () => {
  it('resolves the names of servers at an interval until it is closed', async () => {
    const { made, asked, clock } = overrides()
    const maintenancedir = temporaryFolder()
    made.follow({ ...SITE, settings: { ...SITE.settings, maintenancedir } })
    made.refreshNamesEvery(1000)
    assert.deepEqual(asked.splice(0), ['fd00:1::a'])
    await setImmediate()
    clock.wind(999)
    assert.deepEqual(asked, [])
    clock.wind(1)
    assert.deepEqual(asked.splice(0), ['fd00:1::a'])
    await setImmediate()
    made.close()
    clock.wind(10_000)
    assert.deepEqual([asked, clock.alarms], [[], 0])
  })

  it('says that the folder is missing, with its path', async () => {
    const { made, journal } = overrides()
    const maintenancedir = join(temporaryFolder(), 'maint')
    journal.recordMaintenance({ folder: maintenancedir, device: '1', files: ['[fd00:1::a]'], names: {} })
    const site = { ...SITE, settings: { ...SITE.settings, maintenancedir } }
    await made.prepare(site)
    const [held] = made.overrides(site).values()
    assert.equal(held?.who, join(maintenancedir, '[fd00:1::a]'))
    assert.deepEqual(held?.folder, { path: maintenancedir, trouble: 'gone' })
    assert.equal(
      held.reason,
      `its folder ${maintenancedir} is missing: create it again to release the server`,
    )
  })

  it('resolves no names without a folder', () => {
    const { made, asked, clock } = overrides()
    made.follow(SITE)
    made.refreshNamesEvery(1000)
    clock.wind(10_000)
    assert.deepEqual(asked, [])
  })
})
