/**
 * ldirectord's own state machine and lvsd, event by event, on sites and histories at random: at the end of each event the
 * tables are equal. What differs on purpose is left out here; ldirectord-traces.test.ts lists it.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { onCleanup } from '../../../support/after-each.js'
import { replay } from '../../../support/config/ldirectord-replay.js'
import { readTrace } from '../../../support/config/ldirectord-trace.js'
import { temporaryFolder } from '../../../support/folder.js'

const OWN = fileURLToPath(new URL('../../../fixtures/ldirectord-traces/', import.meta.url))

// ---------------------------------------------------------------- ldirectord

const DRIVER = fileURLToPath(new URL('../../../support/config/ldirectord-trace.pl', import.meta.url))

/** Where Debian puts it. */
const LDIRECTORD = '/usr/sbin/ldirectord'

interface Course {
  /** The configuration is the file `config`; others are for reloads. */
  readonly files: Readonly<Record<string, string>>
  readonly events: readonly string[]
}

/** Gives the trace of each course, as text, without the files. */
function openOracle(): (course: Course) => Promise<string> {
  const env = { ...process.env, PERL_HASH_SEED: '0' }
  const child = spawn('perl', [DRIVER, LDIRECTORD, temporaryFolder()], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  onCleanup(() => child.kill())
  return async course => {
    child.stdin.write(`${JSON.stringify(course)}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error('ldirectord has ended')
    return JSON.parse(value) as string
  }
}

// ---------------------------------------------------------------- sites at random

const FAMILIES = [4, 6] as const
const yesNo = fc.constantFrom('yes', 'no')

const anyReal = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  forwarding: fc.constantFrom('masq', 'masq', 'gate', 'ipip'),
  weight: fc.constantFrom('', ' 0', ' 1', ' 5', ' 007'),
  thresholds: fc.constantFrom('', '', ' l:2 u:9', ' u:4'),
})

const anyVirtual = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  family: fc.constantFrom(...FAMILIES),
  kind: fc.constantFrom('tcp', 'tcp', 'udp', 'fwm'),
  reals: fc.uniqueArray(anyReal, { maxLength: 3, selector: ({ n }) => n }),
  check: fc.constantFrom('checktype=connect', 'checktype=on', 'service=http', 'checktype=2\n\tservice=http'),
  fallback: fc.constantFrom('', '', 'masq', 'gate'),
  lines: fc.subarray([
    'quiescent=yes',
    'quiescent=no',
    'failurecount=3',
    'scheduler=wlc',
    'persistent=60',
    'ops=yes',
    'cleanstop=no',
    'fallbackcommand=/usr/local/bin/one',
  ]),
})
type AnyVirtual = typeof anyVirtual extends fc.Arbitrary<infer T> ? T : never

const anySite = fc.record({
  globals: fc.subarray([
    'quiescent=yes',
    'failurecount=2',
    'cleanstop=no',
    'fallbackcommand=/usr/local/bin/all',
  ]),
  readdquiescent: yesNo,
  fallback: fc.constantFrom('', '', ' masq', ':80 masq', ' gate'),
  virtuals: fc.uniqueArray(anyVirtual, {
    minLength: 1,
    maxLength: 4,
    selector: ({ n, kind, family }) => `${n} ${kind} ${family}`,
  }),
})
type AnySite = typeof anySite extends fc.Arbitrary<infer T> ? T : never

const isSix = ({ family }: AnyVirtual) => family === 6
const wordFor = (virtual: AnyVirtual, word: string) => `${word}${isSix(virtual) ? '6' : ''}`

/** A server belongs to one virtual: those of several are counted down together by ldirectord. */
function serverOf(virtual: AnyVirtual, n: number): string {
  const net = `${virtual.n}${{ tcp: 1, udp: 2, fwm: 3 }[virtual.kind as 'tcp']}`
  return isSix(virtual) ? `[2001:db8:${net}::${n}]:80` : `10.0.${net}.${n}:80`
}

function section(virtual: AnyVirtual): string {
  const { n, kind, reals, check, fallback, lines } = virtual
  const address = isSix(virtual) ? `[2001:db8::${n}]` : `10.1.1.${n}`
  const own = [
    ...(kind === 'udp' ? ['protocol=udp'] : []),
    ...reals.map(
      ({ n: server, forwarding, weight, thresholds }) =>
        `${wordFor(virtual, 'real')}=${serverOf(virtual, server)} ${forwarding}${weight}${thresholds}`,
    ),
    check,
    ...(fallback ? [`${wordFor(virtual, 'fallback')}=${serverOf(virtual, 9)} ${fallback}`] : []),
    ...lines,
  ]
  const head = `${wordFor(virtual, 'virtual')}=${kind === 'fwm' ? n : `${address}:80`}`
  return `${head}\n${own.map(line => `\t${line}\n`).join('')}`
}

function siteText({ globals, readdquiescent, fallback, virtuals }: AnySite): string {
  // The global fallback does not work for the firewall marks of ldirectord.
  const hasGlobal = fallback !== '' && virtuals.every(({ kind }) => kind !== 'fwm')
  const fallbacks = hasGlobal ? [`fallback=10.0.0.99${fallback}`, `fallback6=[2001:db8::99]${fallback}`] : []
  return [...globals, `readdquiescent=${readdquiescent}`, ...fallbacks, '']
    .join('\n')
    .concat(virtuals.map(section).join(''), '# end\n')
}

const anyEvents = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant('check') },
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom('down', 'down', 'up'), fc.nat(11)) },
    { weight: 1, arbitrary: fc.constantFrom('reload one', 'reload two', 'stop') },
  ),
  { maxLength: 12 },
)

/** As many as a failurecount has. */
const SETTLED = ['check', 'check', 'check']

/** Servers that fail, and that come back, are known after the next check: before a reload or a restart both have settled it. */
function eventsOf(sites: readonly AnySite[], events: readonly (string | [string, number])[]): string[] {
  const servers = [
    ...new Set(
      sites.flatMap(({ virtuals }) =>
        virtuals.flatMap(virtual => virtual.reals.map(({ n }) => serverOf(virtual, n))),
      ),
    ),
  ]
  const named = events.flatMap(event => {
    if (typeof event !== 'string') {
      const server = servers[event[1] % Math.max(1, servers.length)]
      return server ? [`${event[0]} ${server}`] : []
    }
    if (event === 'check') return [event]
    const change = event === 'stop' ? [event, 'start'] : [event]
    return [...SETTLED, ...change, ...SETTLED]
  })
  return ['start', ...named, ...SETTLED, 'stop']
}

// ---------------------------------------------------------------- the tests

/** The same in every run; more, and others: `RUNS=500 SEED=7 npx mocha …`. */
const RUNS = Number(process.env.RUNS ?? 15)
const SEED = Number(process.env.SEED ?? 1)

/** Files of others, and what the real parser makes of them: read where they lie, and left out where they do not. */
const GOLDEN = fileURLToPath(new URL('../../../../../shared/corpus/ldirectord/golden/', import.meta.url))

interface GoldenModel {
  readonly virtual: readonly {
    readonly real?: readonly { readonly server: string; readonly port: number }[]
  }[]
}

const UNRESOLVED = 'has a name that does not resolve, of which ldirectord does not start'
const OWN_FALLBACK = 'has a fallback that is one of the real servers, which ldirectord takes out with it'

/** Files that the random sites and ldirectord-traces.test.ts cover in what is alike, and why the tables differ. */
const NOT_COMPARED: Readonly<Record<string, string>> = {
  'heartbeat-sample-2002-05-22': OWN_FALLBACK,
  'upstream-stanza-08-imap': OWN_FALLBACK,
  'synthetic-heartbeat-crm-heredoc': UNRESOLVED,
  'upstream-stanza-12-mysql': UNRESOLVED,
  'upstream-stanza-13-pgsql': UNRESOLVED,
  'upstream-stanza-14-oracle': UNRESOLVED,
  'upstream-stanza-18-sip': 'is read by ldirectord as having a server that no kernel takes, 0.0.19.196',
  'synthetic-kitchen-sink': 'has a global fallback for firewall marks, of which ipvsadm refuses the second',
}

describe('live: beside the state machine of the real ldirectord', () => {
  before(function () {
    if (!existsSync(LDIRECTORD) && process.env.CI !== 'true') this.skip()
  })

  it('the traces of this folder are what it does', async () => {
    const trace = openOracle()
    for (const name of readdirSync(OWN)) {
      const text = readFileSync(new URL(name, `file://${OWN}`), 'utf8')
      const { files, steps } = readTrace(text)
      const given = Object.fromEntries([...files].filter(([file]) => file !== 'trace'))
      const said = await trace({ files: given, events: steps.map(({ event }) => event) })
      const now = readTrace(`#\n--- trace\n${said}`).steps
      const essence = (list: typeof steps) =>
        list.map(({ event, commands, listing }) => [event, [...commands].sort(), [...(listing ?? [])].sort()])
      assert.deepEqual(essence(now), essence(steps), name)
    }
  })

  it('lvsd has the same table under the real files of the field', async function () {
    if (!existsSync(GOLDEN)) this.skip()
    const trace = openOracle()
    for (const file of readdirSync(GOLDEN)) {
      const name = file.replace(/\.json$/, '')
      if (name in NOT_COMPARED) continue
      const config = readFileSync(new URL(`../${name}.cf`, `file://${GOLDEN}`), 'utf8')
      const { virtual } = JSON.parse(readFileSync(join(GOLDEN, file), 'utf8')) as GoldenModel
      const reals = virtual.flatMap(({ real }) => real ?? [])
      const [first = '', ...others] = new Set(reals.map(({ server, port }) => `${server}:${port}`))
      const all = [first, ...others]
      const rounds = Array(6).fill('check') as string[]
      const down = (servers: readonly string[]) => servers.map(server => `down ${server}`)
      const up = (servers: readonly string[]) => servers.map(server => `up ${server}`)
      const events = [
        ...['start', ...rounds, ...down([first]), ...rounds, ...up([first]), ...rounds],
        ...[...down(all), ...rounds, ...up(all), ...rounds, 'stop'],
      ]
      const said = await trace({ files: { config }, events })
      const text = `# ${name}\n--- config\n${config}--- trace\n${said}`
      await replay(readTrace(text), [], 'its sentences are compared at random').catch(error => {
        throw new Error(`${name}: ${error.message}`, { cause: error })
      })
    }
  }).timeout(120_000)

  it('lvsd has the same table after every event', async () => {
    const trace = openOracle()
    await fc.assert(
      fc.asyncProperty(fc.tuple(anySite, anySite, anySite), anyEvents, async (sites, events) => {
        const [config, one, two] = sites.map(siteText) as [string, string, string]
        const files = { config, one, two }
        const said = await trace({ files, events: eventsOf(sites, events) })
        const parts = Object.entries(files).map(([name, text]) => `--- ${name}\n${text}`)
        await replay(readTrace(`# at random\n${parts.join('')}--- trace\n${said}`))
      }),
      { numRuns: RUNS, seed: SEED },
    )
  }).timeout(600_000)
})
