import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Content, digestOf, hashedOf } from '../../../src/watch/digest.js'
import type { Look } from '../../../src/watch/looker.js'
import { type Verdict, Watch } from '../../../src/watch/watch.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'

const FILE = '/etc/site.yaml'
const digest = (text: string) => digestOf([{ path: FILE, text }])

/** A watch whose looks a test gives, a second apart. */
function stage(...verdicts: Verdict[]) {
  const { log, lines } = recordingLog()
  const state = {
    look: {
      digest: digest('one'),
      files: [],
      fault: null,
      writtenAt: 0,
      isMoved: false,
      isWritten: false,
    } as Look,
    reload: () => {},
    /** What each new content has changed. */
    changes: [] as string[],
  }
  const told: string[] = []
  const clock = new FakeClock()
  const watch = new Watch(
    FILE,
    { text: 'one' },
    {
      log,
      onNew: (_, { text }) => {
        told.push('new')
        state.changes.push(text)
      },
      onChange: async isSettled => {
        told.push(isSettled ? 'settled' : 'early')
        state.reload()
        return verdicts.shift() ?? 'taken'
      },
      onSame: async () => void told.push('same'),
      look: async () => state.look,
      clock,
    },
  )
  onCleanup(() => watch.close())
  const looks = async (count: number, look: Partial<Look>) => {
    state.look = { ...state.look, ...look }
    for (let i = 0; i < count; i++) {
      clock.wind(1000)
      await watch.look()
    }
    return told.splice(0)
  }
  return { watch, clock, looks, lines, told, state }
}

describe('watch: a watched configuration', () => {
  it('is reported and reloaded once after a change', async () => {
    const { looks } = stage()
    assert.deepEqual(await looks(20, { digest: digest('two') }), ['new', 'early'])
  })

  it('that may be incomplete is read again when the file no longer changes', async () => {
    const { looks } = stage('unsettled', 'taken')
    assert.deepEqual(await looks(5, { digest: digest('half') }), ['new', 'early'])
    assert.deepEqual(await looks(5, { digest: digest('whole') }), ['new', 'early'])
    const { looks: others } = stage('unsettled', 'taken')
    assert.deepEqual(await others(30, { digest: digest('half') }), ['new', 'early', 'settled'])
  })

  it('that needs a missing file is read again every ten seconds', async () => {
    const { looks } = stage('later', 'later', 'taken')
    assert.deepEqual(await looks(40, { digest: digest('two') }), ['new', 'early', 'settled', 'settled'])
  })

  it('that was reloaded by a command is not reloaded again', async () => {
    const { watch, looks, told } = stage()
    watch.considered({ text: 'two' })
    assert.deepEqual(told.splice(0), ['new'])
    assert.deepEqual(await looks(5, { digest: digest('two') }), [])
    watch.considered({ text: 'two' })
    assert.deepEqual(told, [])
  })

  it('that was as before when it was read is reported and reloaded when it is changed again', async () => {
    const { watch, looks, state } = stage()
    state.reload = () => watch.considered({ text: 'one' })
    assert.deepEqual(await looks(2, { digest: digest('two') }), ['new', 'early'])
    state.reload = () => {}
    assert.deepEqual(await looks(3, { digest: digest('two') }), ['new', 'early'])
  })

  it('that was as before when it was read twice in a row, and after a command, is reloaded when it stays', async () => {
    const { watch, looks, state } = stage()
    assert.deepEqual(await looks(3, { digest: digest('two') }), ['new', 'early'])
    watch.considered({ text: 'one' })
    state.reload = () => watch.considered({ text: 'one' })
    assert.deepEqual(await looks(1, { digest: digest('one') }), ['new'])
    assert.deepEqual(await looks(3, { digest: digest('two') }), ['new', 'early', 'new', 'early'])
    state.reload = () => watch.considered({ text: 'two' })
    assert.deepEqual(await looks(3, { digest: digest('two') }), ['new', 'early'])
  })

  it('that is never read as it is looked at is read five times and no more', async () => {
    const { watch, looks, state } = stage()
    state.reload = () => watch.considered({ text: 'a part of two' })
    const told = await looks(20, { digest: digest('two') })
    assert.deepEqual(told, Array.from({ length: 5 }, () => ['new', 'early']).flat())
    assert.deepEqual(await looks(5, { digest: digest('two') }), [])
  })

  it('that cannot be read is logged once, and reloaded once so that the reload is refused, and later changes are noticed', async () => {
    const { looks, lines } = stage()
    assert.deepEqual(
      await looks(3, { digest: null, fault: 'site.yaml: this user is not permitted to read the file' }),
      ['early'],
    )
    assert.equal(lines.length, 1)
    assert.deepEqual(await looks(3, { digest: digest('two'), fault: null }), ['new', 'early'])
    assert.equal(lines.length, 2)
  })

  it('whose file is missing at two looks is logged and reloaded once, and again when it is there', async () => {
    const { looks, lines } = stage()
    const events = () => lines.splice(0).map(({ event, fault }) => [event, ...(fault ? [fault] : [])])
    assert.deepEqual(await looks(1, { digest: null }), [])
    assert.deepEqual(await looks(1, { digest: digest('one') }), ['same'])
    assert.deepEqual(events(), [], 'a file that is replaced may be away for a moment')
    assert.deepEqual(await looks(9, { digest: null }), ['early'])
    assert.deepEqual(events(), [['config.unreadable', `${FILE}: there is no such file`]])
    assert.deepEqual(await looks(3, { digest: digest('one') }), ['same'])
    assert.deepEqual(events(), [['config.readable']])
  })

  it('that is again as before is told once, also after a change that was refused for now', async () => {
    const { looks } = stage('later')
    assert.deepEqual(await looks(3, { digest: digest('two') }), ['new', 'early'])
    assert.deepEqual(await looks(9, { digest: digest('one') }), ['same'])
  })

  it('that may be incomplete is logged once, with what lvsd waits for', async () => {
    const { looks, lines } = stage('unsettled', 'taken')
    await looks(5, { digest: digest('half') })
    assert.deepEqual(
      lines.map(({ event, file }) => [event, file]),
      [['config.waits', FILE]],
    )
    await looks(20, {})
    assert.equal(lines.length, 1)
  })

  it('that may be incomplete waits until ten seconds after the last change, or until it is as before', async () => {
    const { watch, looks } = stage('unsettled', 'unsettled', 'taken', 'unsettled')
    assert.equal(watch.waits, null)
    await looks(4, { digest: digest('half') })
    assert.deepEqual(watch.waits, { files: `${FILE} (gone)`, left: 7000 })
    await looks(2, { digest: digest('half of another') })
    assert.deepEqual(watch.waits, { files: `${FILE} (gone)`, left: 9000 })
    await looks(9, {})
    assert.equal(watch.waits, null)
    await looks(2, { digest: digest('half') })
    assert.deepEqual(watch.waits, { files: FILE, left: 9000 })
    await looks(1, { digest: digest('half of a third') })
    assert.notEqual(watch.waits, null)
    watch.considered({ text: 'half of a third' })
    assert.equal(watch.waits, null)
  })

  it('names the files that have changed, and not the main one', async () => {
    const { watch, looks, lines, state } = stage('unsettled', 'taken')
    const part = (text: string): Content => ({ path: '/etc/mail.yaml', text })
    const main = { path: FILE, text: 'one' }
    const seen = (...files: Content[]) => ({ digest: digestOf(files), files: hashedOf(files) })
    watch.considered({ text: 'one', included: [part('1')] })
    state.changes.length = 0
    await looks(20, seen(main, part('2')))
    await looks(5, seen(main))
    watch.considered({ text: 'one', included: [part('2')] })
    assert.deepEqual(state.changes, ['/etc/mail.yaml', '/etc/mail.yaml (gone)', '/etc/mail.yaml (new)'])
    assert.deepEqual(
      lines.map(({ event, file, msg }) => [event, file, msg.slice(0, 46)]),
      [['config.waits', '/etc/mail.yaml', 'the changed configuration (/etc/mail.yaml) has']],
    )
  })

  it('whose main file cannot be parsed is told once, whatever it has included', async () => {
    const { watch, looks } = stage()
    const files = [
      { path: FILE, text: '{' },
      { path: '/etc/mail.yaml', text: '1' },
    ]
    watch.considered({ text: 'one', included: files.slice(1) })
    watch.considered({ text: '{' })
    assert.deepEqual(await looks(5, { digest: digestOf(files), files: hashedOf(files) }), ['new', 'new'])
  })

  it('is read from its file', async () => {
    const file = join(temporaryFolder(), 'site.yaml')
    writeFileSync(file, 'two')
    const { log } = recordingLog()
    await new Promise<void>(resolve => {
      const watch = new Watch(
        file,
        { text: 'one' },
        { log, onNew: () => resolve(), onChange: async () => 'taken', onSame: async () => {} },
      )
      onCleanup(() => watch.close())
      void watch.look()
    })
  })
})
