import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { check } from '../../../checks/external.js'
import type { Target } from '../../../src/check/check.js'
import { MOST_AT_ONCE, places } from '../../../src/system/processes.js'
import { onCleanup } from '../../support/after-each.js'
import { missingOf, problemOf } from '../../support/checks/options.js'
import { probe, targetOf } from '../../support/probe.js'
import { address } from '../../support/tables.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsd-external-'))
  onCleanup(() => rmSync(folder, { recursive: true }))
})

/** A command of this test: a shell script. */
function script(text: string, name = 'command', mode = 0o755): string {
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, mode)
  return file
}

const SLOW = { timeout: 15_000 }
const web = targetOf({ host: '2001:db8:1::11', port: 8080 })
const target: Target = { ...web, real: { ...web.real, port: 80, weight: 7 } }

/** What a script that prints something said. */
async function printed(options: Record<string, unknown>, to: Target = target): Promise<string> {
  const { ok, detail } = await probe(check, to, options, SLOW)
  assert.equal(ok, true, detail)
  return detail.replace(/^exit 0: /, '')
}

/** Processes that still run with this folder in their command line. */
function leftBehind(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)
      } catch {
        return false
      }
    })
}

async function nothingLeft(within = 8000): Promise<void> {
  const until = performance.now() + within
  while (leftBehind().length > 0 && performance.now() < until) await new Promise(done => setTimeout(done, 20))
  assert.deepEqual(leftBehind(), [])
}

describe('external: the arguments of an external command', function () {
  this.timeout(60_000)
  const show = 'echo "$# $1 $2 $3 $4"'

  it("are ldirectord's: addresses of IPv6 in brackets, the real server's own port", async () => {
    const checkcommand = script(show)
    assert.equal(await printed({ checkcommand }), '4 [2001:db8::80] 80 [2001:db8:1::11] 80')
    const to = address('192.0.2.1')
    const v4 = {
      ...target,
      real: { ...target.real, address: to },
      service: { ...target.service, address: to },
    }
    assert.equal(await printed({ checkcommand }, v4), '4 192.0.2.1 80 192.0.2.1 80')
  })

  it('name the firewall mark and port 0 for a service that has one', async () => {
    const service = { ...target.service, address: null, port: 0, protocol: 'fwm', fwmark: 9 } as const
    const said = await printed({ checkcommand: script(show) }, { ...target, service })
    assert.equal(said, '4 9 0 [2001:db8:1::11] 80')
  })

  it('are the configured ones, with placeholders replaced, if the configuration sets them', async () => {
    const args = ['-H', '{address}', '-p{port}', '{virtual} {weight}']
    const said = await printed({ checkcommand: script(show), arguments: args })
    assert.equal(said, '4 -H 2001:db8:1::11 -p8080 2001:db8::80 7')
  })

  it('are not interpreted by a shell', async () => {
    const said = await printed({ checkcommand: script(show), arguments: ['$(id)', '; exit 1', '*', '"'] })
    assert.equal(said, '4 $(id) ; exit 1 * "')
  })

  it('are also in the environment, which contains little else', async () => {
    const out = join(folder, 'out')
    await printed({ checkcommand: script(`/usr/bin/env > ${out}; pwd >> ${out}`) })
    const env = readFileSync(out, 'utf8').split('\n')
    for (const line of [
      'LVSD_SERVICE=web',
      'LVSD_VIRTUAL=2001:db8::80',
      'LVSD_VIRTUALPORT=80',
      'LVSD_PROTOCOL=tcp',
      'LVSD_FWMARK=',
      'LVSD_REAL=2001:db8:1::11',
      'LVSD_REALPORT=80',
      'LVSD_WEIGHT=7',
      'LVSD_ADDRESS=2001:db8:1::11',
      'LVSD_PORT=8080',
      'LVSD_FAMILY=ipv6',
      'LVSD_SOURCE=',
      'LVSD_TIMEOUT=15',
      '/',
    ])
      assert.ok(env.includes(line), line)
    const others = env.filter(
      line => line !== '/' && line !== '' && !/^(LVSD_|PATH=|LC_ALL=C$|PWD=|_=|SHLVL=|OLDPWD)/.test(line),
    )
    assert.deepEqual(others, [])
  })
})

describe('external: the environment of an external command', function () {
  this.timeout(60_000)
  const show = 'echo "[$LVSD_TEST_ONE] [$LVSD_REAL] [$ONE] [$TWO] [$THREE] [$HOME]"'
  it('has the passed and the set variables, and the fixed ones', async () => {
    Object.assign(process.env, { ONE: 'of lvsd', TWO: 'of lvsd too' })
    onCleanup(() => {
      delete process.env.ONE
      delete process.env.TWO
    })
    const real = '[2001:db8:1::11]'
    for (const [environment, said] of [
      [undefined, `[] ${real} [] [] [] []`],
      [['ONE'], `[] ${real} [of lvsd] [] [] []`],
      [['ONE', 'NO_SUCH', { HOME: '/root', THREE: 3 }], `[] ${real} [of lvsd] [] [3] [/root]`],
      [{ ONE: null, TWO: 'a b;c', THREE: true }, `[] ${real} [of lvsd] [a b;c] [true] []`],
    ] as const)
      assert.equal(await printed({ checkcommand: script(show), ...(environment && { environment }) }), said)
    assert.equal(
      await printed({
        checkcommand: script('echo $PATH $LC_ALL'),
        environment: { PATH: '/bin', LC_ALL: 'C.UTF-8' },
      }),
      '/bin C.UTF-8',
    )
  })

  it('is refused with an invalid name, and with a variable that lvsd sets', () => {
    const wrong = (environment: unknown) => {
      try {
        return problemOf(check, { environment })
      } catch (error) {
        return String(error)
      }
    }
    for (const [environment, said] of [
      [['A B'], /names of variables/],
      [{ '1A': 'x' }, /names of variables/],
      [['HOME=/root'], /write { HOME: text }(?!.*root)/],
      [{ A: 'x\0' }, /names of variables/],
      [{ LVSD_REAL: 'x' }, /LVSD_REAL cannot be set/],
      [3, /names of variables/],
      ['PGUSER', /names of variables/],
      [[['A']], /names of variables/],
    ] as const)
      assert.match(wrong(environment) ?? '', said)
  })
})

describe('external: the verdict of an external command', function () {
  this.timeout(60_000)
  const cases: [string, string, Record<string, unknown>, boolean, string | null, RegExp][] = [
    ['exit 0', 'echo fine', {}, true, null, /^exit 0: fine$/],
    ['another exit code', 'echo "no such page" >&2; exit 3', {}, false, 'status', /^exit 3: no such page$/],
    ['no output', 'exit 1', {}, false, 'status', /^exit 1$/],
    ['death by a signal', 'kill -SEGV $$', {}, false, 'signal', /SIGSEGV/],
    [
      'a plug-in that is content',
      'echo "OK - 3 users|users=3"',
      { nagios: true },
      true,
      null,
      /^OK: OK - 3 users$/,
    ],
    ['a plug-in that warns', 'echo slow; exit 1', { nagios: true }, true, null, /^warning: slow$/],
    [
      'a warning that counts',
      'echo slow; exit 1',
      { nagios: true, warning: 'down' },
      false,
      'status',
      /^warning: slow$/,
    ],
    ['a plug-in without a word', 'exit 1', { nagios: true }, false, 'status', /^exit 1 without output/],
    ['a plug-in that says blanks', 'echo " "; exit 1', { nagios: true }, false, 'status', /without output/],
    [
      'performance data alone',
      'echo "|time=3s"; exit 1',
      { nagios: true },
      false,
      'status',
      /without output/,
    ],
    [
      'a warning that speaks of an error',
      'echo "WARNING: error rate 3%, 2 at line 7"; exit 1',
      { nagios: true },
      true,
      null,
      /^warning: WARNING/,
    ],
    [
      'a warning of several lines',
      'printf "DISK WARNING - low\\n/var: 91%%\\n"; exit 1',
      { nagios: true },
      true,
      null,
      /^warning: DISK/,
    ],
    ['a critical plug-in', 'exit 2', { nagios: true }, false, 'status', /^critical$/],
    ['a plug-in that does not know', 'exit 3', { nagios: true }, false, 'status', /^unknown$/],
    ['a plug-in out of range', 'exit 9', { nagios: true }, false, 'status', /^exit 9$/],
    ['control characters', 'printf "\\033[31mred\\007\\n"', {}, true, null, /^exit 0: \[31mred$/],
  ]
  for (const [phrase, text, options, ok, reason, said] of cases)
    it(`is right for ${phrase}`, async () => {
      const result = await probe(check, target, { checkcommand: script(text), ...options }, SLOW)
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok, reason }, result.detail)
      assert.match(result.detail, said)
    })
})

describe('external command that returns the weight', function () {
  this.timeout(60_000)
  const codes: [number, boolean, number | undefined][] = [
    [0, true, undefined],
    [1, false, undefined],
    [2, true, 0],
    [3, true, 1],
    [255, true, 253],
  ]
  for (const [code, ok, weight] of codes)
    it(`is right for exit ${code}`, async () => {
      const checkcommand = script(`echo load; exit ${code}`)
      const result = await probe(check, target, { checkcommand, dynamic: true }, SLOW)
      assert.equal(result.ok, ok)
      assert.deepEqual(result.advice, weight === undefined ? undefined : { weight })
      assert.equal(result.detail, `exit ${code}: load`)
    })

  it('is down when a signal kills it', async () => {
    const result = await probe(check, target, { checkcommand: script('kill -9 $$'), dynamic: true }, SLOW)
    assert.deepEqual([result.reason, result.advice], ['signal', undefined])
  })

  it('cannot be a Nagios plug-in at the same time', () => {
    assert.match(problemOf(check, { nagios: true, dynamic: true }) ?? '', /not both/)
  })
})

describe('external command that cannot be run', function () {
  this.timeout(60_000)
  const refused: [string, () => Record<string, unknown>, RegExp][] = [
    ['does not exist', () => ({ checkcommand: join(folder, 'none') }), /none does not exist/],
    [
      'is nowhere in the path',
      () => ({ checkcommand: 'lvsd-no-such-command' }),
      /does not exist \(looked in .*\/usr\/bin/,
    ],
    ['carries its arguments', () => ({ checkcommand: `${script('')} -H ::1` }), /`arguments`/],
    [
      'is not executable',
      () => ({ checkcommand: script('', 'command', 0o644) }),
      /not executable.*chmod \+x/,
    ],
    ['is a folder', () => ({ checkcommand: folder }), /./],
    ['may be written by others', () => ({ checkcommand: script('', 'command', 0o757) }), /written by others/],
    [
      'lies in a folder that others may write',
      () => {
        const checkcommand = script('')
        chmodSync(folder, 0o777)
        return { checkcommand }
      },
      /written by others/,
    ],
    [
      'is a link to one that others may write',
      () => {
        script('', 'open', 0o777)
        symlinkSync(join(folder, 'open'), join(folder, 'link'))
        return { checkcommand: join(folder, 'link') }
      },
      /written by others/,
    ],
    [
      'is a link into nothing',
      () => {
        symlinkSync(join(folder, 'none'), join(folder, 'dangling'))
        return { checkcommand: join(folder, 'dangling') }
      },
      /dangling does not exist/,
    ],
    [
      'is empty',
      () => {
        const file = script('')
        writeFileSync(file, '')
        return { checkcommand: file }
      },
      /is empty/,
    ],
    [
      'has no interpreter',
      () => {
        const file = script('')
        writeFileSync(file, '#!/no/such/interpreter\n')
        return { checkcommand: file }
      },
      /interpreter/,
    ],
  ]
  for (const [phrase, options, said] of refused)
    it(`is no verdict, which says why, when it ${phrase}; so is the configuration's reader told`, async () => {
      const given = options()
      const result = await probe(check, target, given, SLOW)
      assert.deepEqual(
        { ok: result.ok, reason: result.reason },
        { ok: null, reason: 'no-verdict' },
        result.detail,
      )
      assert.match(result.detail, said)
      assert.match(missingOf(check, given) ?? '', said)
    })

  it('is searched in the standard folders if it has no slash', async () => {
    assert.equal((await probe(check, target, { checkcommand: 'true' }, SLOW)).ok, true)
    assert.equal((await probe(check, target, { checkcommand: 'false' }, SLOW)).reason, 'status')
  })

  it('is reported when the configuration is read, if that is possible', () => {
    assert.match(problemOf(check, { checkcommand: '' }) ?? '', /path/)
    assert.match(
      problemOf(check, { arguments: ['{adress}'] }) ?? '',
      /\{adress\} is not a placeholder.*\{address\}/,
    )
    assert.match(problemOf(check, { arguments: ['a\0'] }) ?? '', /NUL/)
  })
})

describe('external command at its deadline', function () {
  this.timeout(60_000)
  it('is killed, with the children it forked', async () => {
    const checkcommand = script(`${script('sleep 60', 'child')} & ${folder}/child & wait`)
    const result = await probe(check, target, { checkcommand }, { timeout: 300 })
    assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason: 'timeout' })
    assert.ok(result.ms < 3000, `took ${result.ms} ms`)
    await nothingLeft()
  })

  it('is killed even if it ignores TERM', async () => {
    const checkcommand = script("trap '' TERM; while :; do sleep 0.1; done")
    const result = await probe(check, target, { checkcommand }, { timeout: 300 })
    assert.equal(result.reason, 'timeout')
    assert.ok(result.ms < 3000, `took ${result.ms} ms`)
    await nothingLeft()
  })

  it('never runs twice at once, even if it ends slowly', async () => {
    const lock = join(folder, 'lock')
    const checkcommand = script(
      `mkdir ${lock} || { echo two > ${folder}/twice; }; trap '' TERM; sleep 0.6; rmdir ${lock}; exit 1`,
    )
    const first = await probe(check, target, { checkcommand }, { timeout: 200 })
    assert.equal(first.reason, 'timeout')
    await probe(check, target, { checkcommand }, { timeout: 200 })
    await probe(check, target, { checkcommand }, { timeout: 200 })
    await nothingLeft()
    assert.equal(existsSync(join(folder, 'twice')), false)
  })
})

describe('external command that has ended', function () {
  this.timeout(60_000)
  it('leaves no children behind', async () => {
    const checkcommand = script(`${script('sleep 60', 'child')} >/dev/null 2>&1 & exit 0`)
    assert.equal((await probe(check, target, { checkcommand }, SLOW)).ok, true)
    await nothingLeft()
  })

  it('returns its output even if a child in another session keeps it open', async () => {
    const checkcommand = script('setsid sleep 5 & echo done; exit 0')
    const result = await probe(check, target, { checkcommand }, SLOW)
    assert.equal(result.detail, 'exit 0: done')
    assert.ok(result.ms < 3000, `took ${result.ms} ms`)
  })

  it('may print 100 MB; lvsd keeps the beginning', async () => {
    const before = process.memoryUsage().rss
    const checkcommand = script('echo the beginning; head -c 100000000 /dev/zero; exit 1')
    const result = await probe(check, target, { checkcommand }, { timeout: 15_000 })
    assert.deepEqual([result.reason, result.detail], ['status', 'exit 1: the beginning'])
    assert.ok(process.memoryUsage().rss - before < 60e6)
  })

  it('needs little CPU if it prints without end', async () => {
    const checkcommand = script('exec yes')
    let least = Number.POSITIVE_INFINITY
    // Who reads all of it needs a whole second.
    for (let i = 0; i < 3 && least > 300; i++) {
      const before = process.cpuUsage()
      const { reason } = await probe(check, target, { checkcommand }, { timeout: 1000 })
      const { user, system } = process.cpuUsage(before)
      assert.equal(reason, 'timeout')
      least = Math.min(least, (user + system) / 1000)
    }
    assert.ok(least < 500, `${least} ms of CPU in a second`)
  })
})

describe('external commands at once', function () {
  this.timeout(60_000)
  it('have a limit; a command that waits too long gives no verdict', async () => {
    const { signal } = new AbortController()
    // The command of the test before may hold its place for a second more.
    for (let i = 0; i < MOST_AT_ONCE; i++) assert.equal(await places.acquire(5000, signal), true)
    const waiting = probe(check, target, { checkcommand: script('exit 0') }, { timeout: 600 })
    const patient = probe(check, target, { checkcommand: script('exit 0', 'other') }, SLOW)
    const { ok, reason } = await waiting
    assert.deepEqual({ ok, reason }, { ok: null, reason: 'no-verdict' })
    for (let i = 0; i < MOST_AT_ONCE; i++) places.release()
    assert.equal((await patient).ok, true)
  })

  it('start when places become free, for any end of the earlier ones', async () => {
    const good = script('exit 0', 'good')
    const bad = join(folder, 'missing')
    const runs = Array.from({ length: 2 * MOST_AT_ONCE }, (_, i) =>
      probe(check, target, { checkcommand: i % 2 ? good : bad }, SLOW),
    )
    const results = await Promise.all(runs)
    assert.deepEqual(new Set(results.map(({ ok }, i) => ok === (i % 2 ? true : null))), new Set([true]))
  })
})

/** Runs a piece of code in a lvsd of its own, which knows `run`: one run of this check. What it prints comes back. */
async function elsewhere(code: string, limits = ''): Promise<string> {
  const file = join(folder, 'elsewhere.mts')
  const url = (path: string) => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href)
  writeFileSync(
    file,
    `import { check } from ${url('checks/external.ts')}
     import { probe } from ${url('test/support/probe.ts')}
     const run = (checkcommand: string) => probe(check, 80, { checkcommand }, { timeout: 15_000 })
     ${code}`,
  )
  const tsx = createRequire(import.meta.url).resolve('tsx')
  const shell = `${limits} exec ${process.execPath} --import ${tsx} ${file}`
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', shell])
  return stdout.trim()
}

describe('external command and the end of lvsd', function () {
  this.timeout(60_000)
  it('end at the same time', async () => {
    const started = join(folder, 'started')
    const checkcommand = script(`trap '' TERM; touch ${started}; ${script('sleep 60', 'child')}`)
    await elsewhere(`import { existsSync } from 'node:fs'
      void run('${checkcommand}')
      while (!existsSync('${started}')) await new Promise(done => setTimeout(done, 10))
      process.exit(0)`)
    await nothingLeft()
  })

  it('is no verdict when lvsd has no descriptor left', async () => {
    const said = await elsewhere(
      `import { closeSync, openSync } from 'node:fs'
      await run('/bin/true')
      const open: number[] = []
      try {
        for (;;) open.push(openSync('/dev/null', 'r'))
      } catch {}
      const { ok, reason, detail } = await run('/bin/true')
      for (const fd of open) closeSync(fd)
      const after = await run('/bin/true')
      console.log(ok, reason, detail, after.ok)`,
      'ulimit -n 256;',
    )
    assert.match(said, /^null no-verdict .*no resources left \(EMFILE\) true$/)
  })
})

describe('external: Nagios plug-ins', function () {
  this.timeout(60_000)
  const plugin = '/usr/lib/nagios/plugins/check_dummy'
  /** Scripts that die of a mistake of their own. */
  const crashes: [string, string, string][] = [
    ['python3', 'python3', 'def f():\n  return 1 / 0\nf()\n'],
    ['python3', 'python3', 'import no_such_module_of_lvsd\n'],
    ['python3', 'python3', 'print("CHECK")\nraise SystemExit(open("/no/such/file"))\n'],
    ['perl', 'perl', 'use NoSuchModuleOfLvsd;\n'],
    ['perl', 'perl', '$! = 1; die "oops";\n'],
    ['perl', 'perl', 'this is ( no perl\n'],
    ['node', 'nodejs', 'null.x\n'],
    ['ruby', 'ruby', 'raise "oops"\n'],
    ['bash', 'bash', 'set -e\nfalse\n'],
    ['bash', 'bash', 'set -eu\necho $NO_SUCH_VARIABLE\n'],
    ['sh', 'dash', 'set -e\nno-such-command-of-lvsd || exit 1\n'],
  ]
  for (const [interpreter, , text] of crashes)
    it(`are down if they crash, for any meaning of a warning: ${interpreter} ${JSON.stringify(text)}`, async function () {
      const found = spawnSync('/bin/sh', ['-c', `command -v ${interpreter}`], {
        encoding: 'utf8',
      }).stdout.trim()
      if (found === '') this.skip()
      const file = script('', 'crash')
      writeFileSync(file, `#!${found}\n${text}`)
      const { ok, detail } = await probe(check, target, { checkcommand: file, nagios: true }, SLOW)
      assert.equal(ok, false, detail)
    })

  it('work unchanged', async function () {
    if (!existsSync(plugin)) {
      assert.ok(!process.env.CI, 'CI needs the package monitoring-plugins-basic')
      console.log(`      ${plugin} is missing: install monitoring-plugins-basic`)
      this.skip()
    }
    const options = { checkcommand: plugin, nagios: true }
    const verdicts = []
    for (const code of ['0', '1', '2', '3'])
      verdicts.push((await probe(check, target, { ...options, arguments: [code, 'text'] }, SLOW)).ok)
    assert.deepEqual(verdicts, [true, true, false, false])
  })
})
