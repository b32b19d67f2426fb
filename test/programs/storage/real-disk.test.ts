/** A director whose state folder is on a full disk, or is read-only, in a mount namespace of its process. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fetchEvents, fetchStatus, giveOverride } from '../../../src/api/client.js'
import { onCleanup } from '../../support/after-each.js'
import { needsRoot } from '../../support/as-root.js'
import { compiled } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { httpServer } from '../../support/servers.js'
import { until } from '../../support/until.js'

const CHILD = join(compiled('main'), '../../test/programs/storage/director-child.js')
/** So many that their events do not fit into what a file has already. */
const REALS = 60

interface Site {
  readonly folder: string
  readonly state: string
  readonly socket: string
  /** What the server of all checks answers. */
  readonly server: { isUp: boolean }
  /** Writes the configuration with this many services. */
  configure(services: number): void
}

async function siteOf(): Promise<Site> {
  const folder = temporaryFolder()
  const server = { isUp: true }
  const { port } = await httpServer((_, response) => response.writeHead(server.isUp ? 200 : 500).end())
  const reals = Array.from({ length: REALS }, (_, i) => `'[fd00::${i + 1}]:80'`).join(', ')
  const check = `{ kind: http, checkaddress: '::1', checkport: ${port}, interval: 500ms, fall: 1 }`
  const configure = (count: number) => {
    const services = Array.from(
      { length: count },
      (_, i) =>
        `  s${i}:\n    virtual: '[2001:db8::${i + 1}]:80'\n    check: ${check}\n    reals: [${reals}]\n`,
    )
    const settings = 'settings: { socket: s.sock, state: state, record: 24h, resync: 1s }\n'
    writeFileSync(join(folder, 'site.yaml'), `${settings}services:\n${services.join('')}`)
  }
  configure(1)
  mkdirSync(join(folder, 'state'))
  return { folder, state: join(folder, 'state'), socket: join(folder, 's.sock'), server, configure }
}

interface Line {
  readonly event: string
  readonly msg: string
  readonly file?: string
}

interface Director {
  readonly child: ChildProcess
  /** Lines of its log with one of these events. */
  told(...events: string[]): Line[]
  /** The state folder as the process sees it. */
  readonly inside: string
  mount(options: string): void
}

/** Starts a director after `mount`, a command of the shell in the mount namespace of the process. */
async function started({ folder, state }: Site, mount: string): Promise<Director> {
  const command = `${mount} && exec "$0" "$@"`
  const args = ['-m', 'sh', '-c', command, process.execPath, CHILD, join(folder, 'site.yaml')]
  const child = spawn('unshare', args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, STATE: state },
  })
  const closed = once(child, 'close')
  onCleanup(async () => {
    child.kill('SIGKILL')
    await closed
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    text += chunk
  })
  const lines = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as Line)
  const told = (...events: string[]) => lines().filter(({ event }) => events.includes(event))
  await until(() => {
    assert.equal(child.exitCode, null, text)
    return told('daemon.started').length > 0
  })
  return {
    child,
    told,
    inside: `/proc/${child.pid}/root${state}`,
    mount: options =>
      void execFileSync('nsenter', ['-t', String(child.pid), '-m', 'mount', '-o', options, state]),
  }
}

const FAILED = ['state.failed', 'journal.failed', 'config.not-kept']
const WORKS = ['state.works', 'journal.works', 'config.kept']
/** Four files of the state folder, the journal and the accepted configuration. */
const ALL = 6

const nameOf = ({ event, file = '' }: Line) => `${event} ${file.slice(file.lastIndexOf('/') + 1)}`.trim()
/** Alerts are stored too, but not at each change. */
const sorted = (lines: readonly Line[]) =>
  lines
    .filter(({ file = '' }) => !file.endsWith('-alerts.json'))
    .map(nameOf)
    .sort()
const namesOf = (state: string, journal: string, config: string) =>
  [
    ...['s-events', 's-health.json', 's-overrides.json', 's-results'].map(file => `${state} ${file}`),
    journal,
    config,
  ].sort()

/** Changes everything that the state folder has: health, events, results, overrides, journal, configuration. */
async function changeAll(site: Site, { child, told }: Director, isUp: boolean): Promise<void> {
  const before = told('reload.accepted').length
  site.server.isUp = isUp
  site.configure(2)
  child.kill('SIGHUP')
  await until(() => {
    assert.deepEqual([child.exitCode, child.signalCode], [null, null])
    return told('reload.accepted').length > before
  })
  const targets = [{ service: 's0', real: `[fd00::${isUp ? 1 : 2}]:80` }]
  const reason = 'a new disk'
  const { ok, isKept } = await giveOverride(site.socket, {
    targets,
    effect: { kind: 'disable' },
    reason,
    until: null,
  })
  assert.deepEqual([ok, isKept], [true, false])
  const state = isUp ? 'up' : 'down'
  await until(async () =>
    (await fetchStatus(site.socket)).services.every(
      ({ reals }) => reals.filter(one => one.state === state).length >= REALS - 2,
    ),
  )
}

/** Fails once for each file, works again once for each, and a start after kill -9 finds all. */
async function lastsUntil(site: Site, director: Director, mend: () => void): Promise<void> {
  const { told, child, inside } = director
  await until(() => sorted(told(...FAILED)).length >= ALL, {
    what: () => `all six fail: ${sorted(told(...FAILED))}`,
  })
  // More changes do not tell it again.
  site.server.isUp = !site.server.isUp
  await giveOverride(site.socket, {
    targets: [{ service: 's1', real: null }],
    effect: { kind: 'weight', weight: 5 },
    reason: 'later',
    until: null,
  })
  assert.deepEqual(sorted(told(...FAILED)), namesOf('state.failed', 'journal.failed', 'config.not-kept'))
  mend()
  await until(() => sorted(told(...WORKS)).length >= ALL, {
    what: () => `all six work: ${sorted(told(...WORKS))}`,
  })
  assert.deepEqual(sorted(told(...WORKS)), namesOf('state.works', 'journal.works', 'config.kept'))
  assert.equal(sorted(told(...FAILED)).length, ALL)
  const { events, newest } = await fetchEvents(site.socket, { limit: 1000 })
  const before = await fetchStatus(site.socket)
  const segments = join(inside, 's-events')
  await until(() =>
    readdirSync(segments).some(name =>
      readFileSync(join(segments, name), 'utf8').includes(`"id":${newest},`),
    ),
  )
  const copy = join(site.folder, 'copy')
  cpSync(inside, copy, { recursive: true })
  child.kill('SIGKILL')
  await once(child, 'exit')
  rmSync(site.state, { recursive: true })
  renameSync(copy, site.state)
  const again = await started(site, 'true')
  const found = await fetchEvents(site.socket, { limit: 1000 })
  assert.deepEqual(
    found.events.filter(({ id }) => id <= newest),
    events,
  )
  const { services } = await fetchStatus(site.socket)
  const wanted = ({ reals }: (typeof services)[number]) =>
    reals.map(({ name, override }) => [name, override?.effect, override?.reason])
  assert.deepEqual(services.map(wanted), before.services.map(wanted))
  assert.ok(services[0]?.reals.some(({ override }) => override?.reason === 'a new disk'))
  assert.deepEqual(again.told('state.damaged', 'journal.damaged', ...FAILED), [])
  const accepted = readdirSync(site.state).find(name => /^accepted-.*json$/.test(name)) ?? ''
  assert.match(readFileSync(join(site.state, accepted), 'utf8'), /s1:/)
  assert.match(readFileSync(join(site.state, 's.json'), 'utf8'), /2001:db8::2/)
  again.child.kill('SIGTERM')
  await once(again.child, 'exit')
}

/** Fills the disk to the last byte. */
async function fill(folder: string): Promise<void> {
  const file = await open(join(folder, 'filler'), 'w')
  try {
    for (let size = 65_536; size >= 1; )
      try {
        writeSync(file.fd, Buffer.alloc(size, 'x'))
      } catch {
        size = size >> 1
      }
  } finally {
    await file.close()
  }
}

describe('a director and a disk that takes nothing', () => {
  before(function () {
    needsRoot(() => this.skip())
  })

  it('runs on, tells it once, loses nothing, and writes all of it when there is space again', async () => {
    const full = async () => {
      const site = await siteOf()
      const director = await started(site, 'mount -t tmpfs -o size=64k tmpfs "$STATE"')
      await until(() => readdirSync(director.inside).some(name => /^accepted-.*json$/.test(name)))
      await fill(director.inside)
      await changeAll(site, director, false)
      await lastsUntil(site, director, () => director.mount('remount,size=8m'))
    }
    const readOnly = async () => {
      const site = await siteOf()
      const bind = 'mount --bind "$STATE" "$STATE" && mount -o remount,bind,ro "$STATE"'
      const director = await started(site, bind)
      await changeAll(site, director, true)
      await lastsUntil(site, director, () => director.mount('remount,bind,rw'))
    }
    await Promise.all([full(), readOnly()])
  }).timeout(120_000)
})
