/** Faulty servers and commands: each check must end in time with the right reason, and leave nothing behind. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { CheckResult, Phase, Reason } from '../../src/core/model.js'
import {
  drippingServer,
  endlessBody,
  endlessHeaders,
  garbageServer,
  httpServer,
  httpsServer,
  type Loopback,
  refusedPort,
  saying,
  silentServer,
} from '../support/servers.js'
import { pause, until } from '../support/until.js'
import { installCommand } from './site/command.js'
import { type Lvsd, startLvsd, writeConfig } from './site/lvsd.js'
import { throughout } from './site/namespaces.js'
import { type RealServer, startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, onDirector, tableBecomes, tableIs } from './site/site.js'

const TIMEOUT = 1000
/** Milliseconds by which a check may exceed its deadline on a busy machine. */
const SLACK = 400
/** Milliseconds for a command that ignores TERM until KILL has ended it. */
const GRACE = 2000
/** Address of the servers of the unit tests, on a machine of the site. */
const HERE = 'fc00::5' as Loopback

const GOOD = 'tcp [fc00::80]:80'
const BAD = 'tcp [fc00::81]:80'
const TABLE = { [GOOD]: { '[fc00::6]:80': 'masq 1' }, [BAD]: {} }

interface Fault {
  readonly real: string
  /** The check in YAML, without interval and timeout. */
  readonly check: string
  /** Expected reason; several if it depends on the speed of the machine. */
  readonly reason: Reason | readonly Reason[]
  readonly phase?: Phase
  readonly detail?: RegExp
}

describe('a check', function () {
  this.timeout(600_000)
  let good: RealServer

  before(async () => {
    await buildSite(
      ['fc00::80', 'fc00::81'],
      [5, 6, 7].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
    await onDirector(
      'nft',
      ['-f', '-'],
      `table bridge site {
        chain departures {
          type filter hook output priority 0;
          ip6 daddr fc00::7 drop
        }
      }\n`,
    )
  })

  beforeEach(async () => {
    // What is left of the same test if it is tried again.
    for (const line of processesOf(-1)) process.kill(Number.parseInt(line, 10), 'SIGKILL')
    await freshDirector()
    good = startRealServer('r6')
  })

  it('of a server that fails ends at its deadline at the latest, with the right reason', async () => {
    const faults = await throughout('r5', webFaults)
    faults.dropped = { real: '[fc00::7]:80', check: 'kind: http', reason: 'timeout', phase: 'connect' }
    faults['dropped, in TLS'] = {
      real: '[fc00::7]:443',
      check: 'kind: https',
      reason: 'timeout',
      phase: 'connect',
    }
    faults['dropped, to ping'] = { real: '[fc00::7]:1', check: 'kind: ping', reason: 'timeout' }
    faults['dropped, over UDP'] = {
      real: '[fc00::7]:53',
      check: 'kind: dns, request: www.example.com',
      reason: 'timeout',
    }
    await allFail(faults)
  })

  it('of a name that does not resolve is down with that reason', async () => {
    const lvsd = await startLvsd(writeConfig(config({}, "'nowhere.invalid:80'")))
    await tableBecomes(TABLE)
    const real = await lvsd.real('bad', 'nowhere.invalid')
    assert.equal(real.state, 'down')
    assert.equal(real.address, null)
    assert.match(real.reason, /^name: nowhere\.invalid does not resolve/)
    // Resolving runs beside the start, so the line may come before that of the start.
    await until(() => lvsd.said('nowhere.invalid').length > 0, { what: () => 'a line about the name' })
    await goodIsCheckedOnTime(lvsd, 3000)
  })

  it('by a command that misbehaves ends at its deadline, with all its child processes', async () => {
    const command = (name: string, script: string) => {
      const path = installCommand(`lvsd-test-${name}`, `#!/bin/bash\n${script}\n`)
      return `kind: external, checkcommand: ${path}`
    }
    await allFail({
      'hangs and ignores TERM': {
        real: '[fc00::5]:1',
        check: command('hangs', "trap '' TERM\nwhile :; do sleep 31415; done"),
        reason: 'timeout',
        phase: 'run',
      },
      'forks children and waits': {
        real: '[fc00::5]:2',
        check: command(
          'forks',
          "sleep 31415 &\n(trap '' TERM; sleep 31415; sleep 31415) &\nsleep 31415 &\nwait",
        ),
        reason: 'timeout',
        phase: 'run',
      },
      'leaves children behind': {
        real: '[fc00::5]:3',
        check: command('leaves', "sleep 31415 &\n(trap '' TERM; sleep 31415) &\necho gone\nexit 7"),
        reason: 'status',
        detail: /exit 7: gone/,
      },
      'prints 100 MB': {
        real: '[fc00::5]:4',
        check: `${command('prints', 'echo begin\nhead -c 100000000 /dev/zero\nexit 9')}, interval: 20s, timeout: 5s`,
        // A guest needs some seconds to transfer that much through a pipe.
        reason: ['status', 'timeout'],
        detail: /exit 9: begin|no result within 5000 ms/,
      },
      'prints without end': {
        real: '[fc00::5]:5',
        check: command('pours', 'exec yes'),
        reason: 'timeout',
        phase: 'run',
      },
      'dies by a signal': {
        real: '[fc00::5]:6',
        check: command('dies', 'kill -SEGV $$'),
        reason: 'signal',
        detail: /SIGSEGV/,
      },
    })
  })

  /** Runs lvsd with these faults and a good server, then without the faults again. */
  async function allFail(faults: Readonly<Record<string, Fault>>): Promise<void> {
    const lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes({ [GOOD]: TABLE[GOOD] ?? {} })
    // The thread that reads configurations stays for half a minute: so it is there before and after.
    lvsd.signal('SIGHUP')
    await lvsd.hears('reload: ')
    await pause(1000)
    const before = await belongings(lvsd.pid)

    writeConfig(config(faults))
    lvsd.signal('SIGHUP')
    await lvsd.hears('reload: ')
    const results = new Map<string, CheckResult>()
    // In a guest with little CPU time the clock for deadlines in lvsd is slow.
    await until(() => gather(lvsd, faults, results), {
      what: () => `results of ${Object.keys(faults)}; there are those of ${[...results.keys()]}`,
    })
    await goodIsCheckedOnTime(lvsd, 5000)
    await gather(lvsd, faults, results)
    tableIs(TABLE)
    const { schedule } = await lvsd.status()
    // A worker that shares the one processor of the guest is late as often as lvsd itself.
    const slack = SLACK + schedule.lateness.max
    for (const [what, fault] of Object.entries(faults)) judge(what, fault, results.get(what), slack)
    console.log(
      `      starts late by ${JSON.stringify(schedule.lateness)} ms; ${schedule.noVerdicts} without verdict`,
    )
    assert.equal(schedule.noVerdicts, 0)

    writeConfig(config())
    lvsd.signal('SIGHUP')
    await lvsd.hears('reload: ')
    await pause(GRACE)
    let after = before
    await until(
      async () => {
        after = await belongings(lvsd.pid)
        const more = after.open.length - before.open.length
        return more === 0 || (more === KNOCKING && epollsOf(after) - epollsOf(before) === KNOCKING)
      },
      { what: () => `the descriptors of before: they were ${before.open}, and are ${after.open}` },
    )
    console.log(
      `      descriptors ${before.open.length} -> ${after.open.length}, resident ${before.megabytes} -> ${after.megabytes} MB`,
    )
    await until(() => processesOf(lvsd.pid).length === 0, {
      what: () => `the end of ${processesOf(lvsd.pid).join(', ')}`,
    })
    assert.ok(after.megabytes < before.megabytes + 64, 'memory')
  }

  /**
   * Asserts that the good server is checked every half second. A guest has one processor for lvsd, its commands and the
   * servers, so the time in which lvsd was stalled is subtracted; but a quarter of the checks must run in any case.
   */
  async function goodIsCheckedOnTime(lvsd: Lvsd, ms: number): Promise<void> {
    const { schedule: first } = await lvsd.status()
    const before = good.requests
    await pause(ms)
    const checked = good.requests - before
    const { schedule: last } = await lvsd.status()
    const due = (ms - (last.stalledFor - first.stalledFor)) / 500
    const said = `the good server was checked ${checked} times in ${ms} ms; due: ${due.toFixed(1)}`
    assert.ok(checked >= ms / 500 / 4 && checked >= due * 0.7 - 1 && checked <= ms / 500 + 2, said)
  }
})

function config(faults: Readonly<Record<string, Fault>> = {}, more = ''): string {
  const reals = Object.values(faults).map(({ real, check }) => `{ address: '${real}', check: { ${check} } }`)
  if (more) reals.push(more)
  return `
settings: { resync: 2s, removal-limit: 100% }
services:
  good:
    virtual: '[fc00::80]:80'
    checks: [{ kind: http, interval: 500ms, timeout: 500ms }, { kind: ping, interval: 500ms, timeout: 500ms }]
    reals: ['[fc00::6]:80']
${
  reals.length === 0
    ? ''
    : `  bad:
    virtual: '[fc00::81]:80'
    check: { interval: 3s, timeout: ${TIMEOUT}ms, kind: http }
    reals:
${reals.map(real => `      - ${real}\n`).join('')}`
}`
}

/** Starts all faulty web servers on one machine. */
async function webFaults(): Promise<Record<string, Fault>> {
  const at = (port: number) => `[${HERE}]:${port}`
  const web = async (server: Promise<{ port: number }>, fault: Omit<Fault, 'real' | 'check'>, more = '') => ({
    real: at((await server).port),
    check: `kind: http${more}`,
    ...fault,
  })
  const tls = await httpsServer((_, response) => response.end('ok'), {}, HERE)
  return {
    refused: { real: at(await refusedPort(HERE)), check: 'kind: http', reason: 'refused', phase: 'connect' },
    'accepting and silent': await web(silentServer(HERE), { reason: 'timeout', phase: 'first byte' }),
    'one byte per 100 ms': await web(
      drippingServer(`HTTP/1.1 200 OK\r\nX-Slow: ${'slow '.repeat(50)}\r\n\r\n`, 100, HERE),
      { reason: 'timeout', phase: 'headers' },
    ),
    'one byte of the body per 100 ms': await web(
      httpServer((_, response) => {
        response.writeHead(200)
        const timer = setInterval(() => response.write('.'), 100)
        response.on('close', () => clearInterval(timer))
      }, HERE),
      { reason: 'timeout', phase: 'body' },
    ),
    'endless headers': await web(endlessHeaders(HERE), { reason: 'too-big' }),
    'endless body': await web(endlessBody(HERE), { reason: 'too-big' }),
    garbage: await web(garbageServer(HERE), { reason: 'garbage' }),
    'HTTP 500': await web(
      httpServer((_, response) => response.writeHead(500).end('sorry'), HERE),
      { reason: 'status', detail: /500/ },
    ),
    'wrong body': await web(
      httpServer((_, response) => response.end('sorry'), HERE),
      { reason: 'unexpected', detail: /welcome/ },
      ', receive: welcome',
    ),
    'hanging up': await web(saying('', HERE), { reason: 'closed' }),
    'TLS with a certificate that nobody knows': {
      real: at(tls.port),
      check: 'kind: https, verify: true',
      reason: 'tls',
      phase: 'handshake',
    },
    'TLS asked of a plain server': {
      real: at((await saying('HTTP/1.1 400 Bad Request\r\n\r\n', HERE)).port),
      check: 'kind: https',
      reason: 'tls',
      phase: 'handshake',
    },
    'TLS asked of a silent server': {
      real: at((await silentServer(HERE)).port),
      check: 'kind: https',
      reason: 'timeout',
      phase: 'handshake',
    },
  }
}

/** Records the last result of each fault. Returns true when every check has one. */
async function gather(
  lvsd: Lvsd,
  faults: Readonly<Record<string, Fault>>,
  results: Map<string, CheckResult>,
): Promise<boolean> {
  const { services } = await lvsd.status()
  const reals = services.find(({ name }) => name === 'bad')?.reals ?? []
  for (const [i, what] of Object.keys(faults).entries()) {
    const last = reals[i]?.checks[0]?.last
    if (last) results.set(what, last)
  }
  return results.size === Object.keys(faults).length
}

function judge(
  what: string,
  { reason, phase, detail, check }: Fault,
  result: CheckResult | undefined,
  slack: number,
): void {
  const said = `${what}: ${JSON.stringify(result)}`
  const limit = check.includes('timeout: 5s') ? 5000 : TIMEOUT
  assert.ok(result, what)
  assert.equal(result.ok, false, said)
  assert.ok(result.reason === reason || (Array.isArray(reason) && reason.includes(result.reason)), said)
  if (phase) assert.equal(result.phase, phase, said)
  assert.match(result.detail, detail ?? /\w/, said)
  assert.ok(result.ms <= limit + slack, said)
  if (result.reason === 'timeout') assert.ok(result.ms >= limit - 50, said)
}

/** Descriptors of an epoll instance in Node's event loop. Knocking opens one for the first server that refuses, and keeps it. */
const KNOCKING = 2

function epollsOf({ open }: Belongings): number {
  return open.filter(link => link === 'anon_inode:[eventpoll]').length
}

interface Belongings {
  /** What each open descriptor is, sorted: the shortest list of several samples, so without running checks. */
  readonly open: readonly string[]
  readonly megabytes: number
}

async function belongings(pid: number): Promise<Belongings> {
  let open: readonly string[] | null = null
  for (let look = 0; look < 20; look++) {
    const now = openOf(pid)
    if (open === null || now.length < open.length) open = now
    await pause(50)
  }
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return { open: open ?? [], megabytes: Math.round(Number(resident) / 1024) }
}

function openOf(pid: number): readonly string[] {
  const links = readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\d{3,}/, 'N')
    } catch {
      return []
    }
  })
  // The list of connections is open in one second and not in another.
  return links.filter(link => !link.endsWith('/ip_vs_conn')).sort()
}

/** Returns a line for each child of lvsd, including zombies, and for each process left by its commands. */
function processesOf(lvsd: number): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      const stat = read(`/proc/${pid}/stat`)
      const words = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const isOurs = Number(parent) === lvsd || /lvsd-test-|sleep 31415|^yes $/.test(words)
      return isOurs ? [`${pid} ${state} ${words || stat}`] : []
    })
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
