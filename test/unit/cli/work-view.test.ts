import assert from 'node:assert/strict'
import { ControlError } from '../../../src/api/client.js'
import type { TargetName } from '../../../src/api/override-types.js'
import { type Steering, WorkView } from '../../../src/cli/work-view.js'
import { clockTime } from '../../../src/util/time-text.js'
import { DOWN, NOW, realStatus, serviceStatus, statusDocument } from '../../support/cli/documents.js'

const many = Array.from({ length: 300 }, (_, i) => realStatus({ name: `r${i}`, host: `r${i}` }))
const document = statusDocument({ services: [serviceStatus({ reals: [...many, DOWN] })] })
const [DOWN_KEY, ENTER] = ['\u001b[B', '\r']

/** A view with a daemon that records what is asked of it. */
function opened(change: Partial<Steering> = {}, shown = document) {
  const asked: string[] = []
  const answer = (word: string) => async (targets: readonly TargetName[]) => {
    asked.push(`${word} ${targets.map(({ service, real }) => `${service}/${real}`).join(' ')}`)
    return `${word}: done`
  }
  let hasQuit = false
  const view = new WorkView({
    steering: {
      explain: async target => `${await answer('why')([target])}\nsecond line`,
      drain: answer('drain'),
      enable: answer('enable'),
      ...change,
    },
    onChange: () => {},
    quit: () => {
      hasQuit = true
    },
    refresh: async () => {},
  })
  const picture = (size: { width?: number; height?: number } = {}) =>
    view.picture(
      { document: shown, recent: ['one -> two'], trouble: null },
      { width: 80, height: 24, colour: false, now: NOW, ...size },
    )
  const press = async (...keys: readonly string[]) => {
    for (const key of keys) view.press(key, shown)
    await new Promise(resolve => setImmediate(resolve))
    return picture()
  }
  picture()
  return { view, asked, picture, press, hasQuit: () => hasQuit }
}

describe('work-view: a view', () => {
  for (const [width, height] of [
    [80, 24],
    [200, 50],
    [40, 10],
  ] as const)
    it(`fills ${width}x${height}, with the failed server first and 300 healthy ones in one line`, () => {
      const lines = opened().picture({ width, height }).split('\n')
      assert.ok(lines.length === height, String(lines.length))
      assert.ok(lines.every(line => line.length <= width))
      assert.match(lines.join('\n'), /down .*\n[\s\S]*… 300 healthy/)
    })

  it('stops its clock while lvsd does not answer, and says so above all else', () => {
    const view = new WorkView({ onChange: () => {}, quit: () => {}, refresh: async () => {} })
    const drawn = (now: number, trouble: string | null) =>
      view
        .picture({ document, recent: [], trouble }, { width: 80, height: 24, colour: false, now })
        .split('\n')
    const before = drawn(Date.parse(document.now), null)
    const trouble =
      'lvsd does not run here: /run/lvsd/lvsd.sock does not exist. Start it, or give the path of its socket with --socket'
    const lines = drawn(Date.parse(document.now) + 3_600_000, trouble)
    assert.equal(lines[0], `as of ${clockTime(Date.parse(document.now))}: lvsd does not answer`)
    assert.match(lines.slice(1, 3).join('\n'), /^! lvsd does not run here: .*\n {2}.*with --socket$/)
    assert.deepEqual(lines.slice(4, 6), before.slice(0, 2))
    const down = (of: readonly string[]) => of.find(line => line.startsWith('  down'))
    assert.equal(down(lines), down(before))
  })

  it('leaves half of the window to the list where much needs attention', () => {
    const errors = Array.from({ length: 30 }, (_, i) => `the kernel refused: ${i}`)
    const view = new WorkView({ onChange: () => {}, quit: () => {}, refresh: async () => {} })
    const troubled = { ...document, reconcile: { ...document.reconcile, errors } }
    const lines = view
      .picture(
        { document: troubled, recent: [], trouble: null },
        { width: 80, height: 24, colour: false, now: NOW },
      )
      .split('\n')
    assert.equal(lines.length, 24)
    assert.equal(lines[10], '! 23 more: lvsd status')
    assert.match(lines[12] ?? '', /^web /)
    assert.match(lines[14] ?? '', /^ {2}down /)
  })

  it('explains the server with the cursor, and goes back by any key', async () => {
    const { press, asked } = opened()
    assert.match(await press(DOWN_KEY, ENTER), /^why: done\nsecond line\n/)
    assert.deepEqual(asked, ['why web/[2001:db8:1::12]:80'])
    assert.match(await press('x'), /300 healthy/)
  })

  it('drains and enables after a question', async () => {
    const { press, asked } = opened()
    assert.match(await press(DOWN_KEY, 'd'), /drain web\/\[2001:db8:1::12\]:80: weight 0.*\[y\/N\]$/)
    assert.match(await press('y'), /drain: done$/)
    assert.match(await press('e', 'y'), /enable: done$/)
    assert.deepEqual(asked, ['drain web/[2001:db8:1::12]:80', 'enable web/[2001:db8:1::12]:80'])
  })

  it('drains all addresses of a server, that of the cursor first', async () => {
    const multihomed = [['10.0.0.12:80', DOWN.name]]
    const service = serviceStatus({
      reals: [...(document.services[0]?.reals ?? []), realStatus({ name: '10.0.0.12:80' })],
      multihomed,
    })
    const { press, asked } = opened({}, statusDocument({ services: [service] }))
    assert.match(await press(DOWN_KEY, 'd'), /drain web\/\[2001:db8:1::12\]:80 and web\/10\.0\.0\.12:80: /)
    await press('y')
    assert.deepEqual(asked, [`drain web/${DOWN.name} web/10.0.0.12:80`])
  })

  it('does nothing after any other answer', async () => {
    const { press, asked } = opened()
    assert.match(await press(DOWN_KEY, 'd', ENTER), /nothing has been changed$/)
    assert.deepEqual(asked, [])
  })

  it('shows what a question takes for yes in a narrow window, too', async () => {
    const { press, picture } = opened()
    await press(DOWN_KEY, 'd')
    const lines = picture({ width: 40, height: 10 }).split('\n')
    assert.match(lines.at(-1) ?? '', /^drain web\/\[2001:db8:1::12.*… \[y\/N\]$/)
    assert.ok(lines.every(line => line.length <= 40))
  })

  it('handles a paste as text of the filter, not as keys', async () => {
    const { press, asked, hasQuit } = opened()
    const paste = (text: string) => ['\u001b[200~', ...text, '\u001b[201~']
    await press(DOWN_KEY, ...paste('study dy\rqe'))
    assert.deepEqual(asked, [])
    assert.ok(!hasQuit())
    assert.match(await press('/', ...paste('db8\u009b\u202e::12')), /filter: db8::12_/)
    assert.match(await press('\u001b', DOWN_KEY, 'd', 'y'), /drain: done$/)
  })

  it('asks to select a server first', async () => {
    const { press, asked } = opened()
    assert.match(await press('d'), /choose a real server with the arrow keys first$/)
    assert.deepEqual(asked, [])
  })

  it('says why the daemon did not answer', async () => {
    const { press } = opened({ drain: () => Promise.reject(new ControlError('lvsd is gone')) })
    assert.match(await press(DOWN_KEY, 'd', 'y'), /lvsd is gone$/)
  })

  it('handles q as a letter while a filter is typed, else as quit', async () => {
    const { press, hasQuit } = opened()
    assert.match(await press('/', 'q'), /filter: q_/)
    assert.ok(!hasQuit())
    await press('\u001b', 'q')
    assert.ok(hasQuit())
  })

  it('shows its keys', async () => {
    assert.match(await opened().press('?'), /^Keys\n[\s\S]*drain: weight 0/)
  })
})
