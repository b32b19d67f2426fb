import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DEFAULT_SOCKET } from '../../../../src/api/client.js'
import { type Control, openControlSocket } from '../../../../src/api/server.js'
import type { ReloadOutcome, StatusDocument } from '../../../../src/api/status-types.js'
import { type CommandError, EXIT } from '../../../../src/cli/command.js'
import { command as reload } from '../../../../src/cli/commands/reload.js'
import { filtered, command as status } from '../../../../src/cli/commands/status.js'
import { beginningWith } from '../../../../src/cli/commands/top.js'
import { settingsFields } from '../../../../src/config/schema/schema.js'
import { onCleanup } from '../../../support/after-each.js'
import {
  checkStatus,
  DOWN,
  realStatus,
  serviceStatus,
  statusDocument,
} from '../../../support/cli/documents.js'
import { testContext } from '../../../support/context.js'
import { controlOf } from '../../../support/control.js'
import { until } from '../../../support/until.js'

const OPTIONS = { json: false, watch: undefined, site: false, check: false }

describe('lvsd status', () => {
  it('prints the table of the daemon behind the socket', async () => {
    const { context, out } = testContext()
    assert.equal(await ask(await daemon(), context), EXIT.ok)
    assert.match(out(), /^web {2}tcp \[2001:db8::80\]:80/m)
    assert.match(out(), /^ {2}down .*\[2001:db8:1::12\]:80/m)
  })

  it('gives the document unchanged as JSON', async () => {
    const { context, out } = testContext()
    const socket = await daemon()
    await status.run({ ...context, options: { ...OPTIONS, socket, json: true }, arguments: NONE })
    assert.deepEqual(JSON.parse(out()), statusDocument())
  })

  it('uses the socket of LVSD_SOCKET without --socket', async () => {
    const { context, out } = testContext()
    const env = { LVSD_SOCKET: await daemon() }
    await status.run({ ...context, env, options: { ...OPTIONS, socket: undefined }, arguments: NONE })
    assert.match(out(), /^web /m)
  })

  it('uses the default path of the socket', () => {
    assert.equal(settingsFields.socket.parse(undefined), DEFAULT_SOCKET)
  })

  describe('without an answer', () => {
    it('reports that lvsd does not run', async () => {
      await assert.rejects(
        ask(join(folder(), 'none.sock')),
        unreachable(/lvsd does not run here: .*--socket/),
      )
    })

    it('reports that lvsd has ended', async () => {
      const path = join(folder(), 'old.sock')
      // Node removes a socket that it closes; a process that is killed leaves it.
      const listens = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
      spawnSync(process.execPath, ['-e', listens, path])
      await assert.rejects(ask(path), unreachable(/nobody answers on .*has ended/))
    })

    it('reports a file that is not a socket', async () => {
      const path = join(folder(), 'passwd')
      writeFileSync(path, '')
      await assert.rejects(ask(path), unreachable(/passwd is not a socket: .*--socket/))
    })

    it('reports that another program answers', async () => {
      const path = join(folder(), 'other.sock')
      const server = createServer(socket => socket.end('HTTP/1.0 200 OK\r\n\r\nhello'))
      await new Promise<void>(resolve => server.listen(path, resolve))
      onCleanup(() => server.close())
      await assert.rejects(ask(path), unreachable(/is not lvsd/))
    })

    it('reports an error answer', async () => {
      const socket = await daemon({ status: () => Promise.reject(new Error('out of breath')) })
      await assert.rejects(ask(socket), unreachable(/lvsd answered: out of breath/))
    })

    it('reports who may use the socket', async () => {
      const socket = await daemon()
      chmodSync(dirname(socket), 0)
      if (process.getuid?.() === 0) asNobody()
      await assert.rejects(ask(socket), (error: CommandError) => {
        assert.equal(error.exit, EXIT.kernel)
        assert.match(error.message, /you may not open .*sudo.*socket-group/)
        return true
      })
    })
  })

  describe('for a part', () => {
    const document = statusDocument({
      services: [serviceStatus(), serviceStatus({ name: 'mail', key: 'fwmark 1 ipv6' })],
    })

    it('has the services of `lvsd top`, which takes the beginning of a name', () => {
      const names = (word: string) => beginningWith(document, word).services.map(({ name }) => name)
      assert.deepEqual(names('w'), ['web'])
      assert.throws(() => names('wbe'), /no service has a name that begins with "wbe"; did you mean "web"\?/)
    })

    for (const word of ['mail', 'fwmark 1 ipv6'])
      it(`finds the service "${word}"`, () => {
        assert.deepEqual(
          filtered(document, word, undefined).services.map(({ name }) => name),
          ['mail'],
        )
      })

    for (const word of ['[2001:db8:1::12]:80', '2001:db8:1::12', '[2001:db8:1::12]'])
      it(`finds the real server "${word}"`, () => {
        assert.deepEqual(filtered(document, 'web', word).services[0]?.reals, [DOWN])
      })

    for (const word of ['web/[2001:db8:1::12]:80', 'web/2001:db8:1::12', 'web/::12'])
      it(`finds the real server "${word}" of a service`, () => {
        assert.deepEqual(
          filtered(document, word, undefined).services.map(({ name, reals }) => [name, reals]),
          [['web', [DOWN]]],
        )
      })

    it('finds a service without its protocol', () => {
      assert.deepEqual(
        filtered(document, '[2001:db8::80]:80', undefined).services.map(({ name }) => name),
        ['web'],
      )
    })

    it('finds a real server in all services', () => {
      const found = filtered(document, '[2001:db8:1::12]:80', undefined).services
      assert.deepEqual(
        found.map(({ name, reals }) => [name, reals]),
        [
          ['web', [DOWN]],
          ['mail', [DOWN]],
        ],
      )
    })

    it('suggests the closest name', () => {
      assert.throws(() => filtered(document, 'wbe', undefined), /no service "wbe"; did you mean "web"\?/)
      assert.throws(() => filtered(document, 'xyzzy', undefined), /there are: web, mail/)
      assert.deepEqual(filtered(document, 'web', '::12').services[0]?.reals, [DOWN])
      assert.throws(() => filtered(document, 'web', '80'), /"80" may be any of several real servers of "web"/)
      assert.throws(
        () => filtered(document, 'web/::9', undefined),
        /"web" has no real server "::9"; there are/,
      )
      assert.throws(() => filtered(document, 'web', '::9'), /there are: \[2001:db8:1::11\]:80/)
    })
  })

  describe('--check', () => {
    const healthy = serviceStatus({ reals: [realStatus()] })
    const since = new Date(0).toISOString()
    const override = {
      effect: 'force-down',
      weight: null,
      source: 'file',
      who: 'x',
      reason: '',
      rampUntil: null,
    } as const
    const held = { ...DOWN, override: { ...override, since, until: null } }
    const unasked = realStatus({
      checks: [
        checkStatus({ noVerdict: { since: new Date(0).toISOString(), count: 3, detail: 'no socket | x' } }),
      ],
    })
    const doubtful = realStatus({ host: 'web1', address: null, state: 'unknown', nameTrouble: 'web1?' })
    const refused = { ok: false, at: new Date(0).toISOString(), message: 'no', problems: [] }
    const kept = {
      file: 'a.yaml',
      loadedAt: '',
      warnings: [],
      keptSince: new Date(0).toISOString(),
      fromNextStart: [],
    }
    const rows: [what: string, document: StatusDocument, exit: number, line: RegExp][] = [
      [
        'all is well',
        statusDocument({ services: [healthy] }),
        0,
        /^LVSD OK - 1 up, 0 down, 1 service \| up=1 down=0/,
      ],
      [
        'a server is down',
        statusDocument(),
        1,
        /^LVSD WARNING - web \[2001:db8:1::12\]:80 down: refused.* \| up=1 down=1/,
      ],
      [
        'a server is in maintenance',
        statusDocument({ services: [serviceStatus({ reals: [realStatus(), held] })] }),
        0,
        /OK/,
      ],
      [
        'a server has no verdict',
        statusDocument({ services: [serviceStatus({ reals: [unasked] })] }),
        1,
        /no verdict: no socket \/ x .*\| up=1/,
      ],
      [
        'nobody knows what a name stands for',
        statusDocument({ services: [serviceStatus({ nameTrouble: 'vip?', reals: [doubtful] })] }),
        1,
        /WARNING - web: vip\?; web web1:80 name: web1\? /,
      ],
      [
        'a reload was refused',
        statusDocument({ services: [healthy], lastReload: refused }),
        1,
        /reload was refused/,
      ],
      [
        'the file does not run',
        statusDocument({ services: [healthy], config: kept }),
        1,
        /a\.yaml cannot run/,
      ],
      [
        'a service has no server left',
        statusDocument({
          services: [healthy, serviceStatus({ name: 'mail', state: 'down', reals: [DOWN] })],
        }),
        2,
        /^LVSD CRITICAL - mail has lost its only server, no fallback/,
      ],
    ]
    for (const [what, document, exit, line] of rows)
      it(`ends with ${exit} when ${what}`, async () => {
        const { context, out } = testContext()
        const socket = await daemon({ status: async () => document })
        const options = { ...OPTIONS, socket, check: true }
        assert.equal(await status.run({ ...context, options, arguments: NONE }), exit)
        assert.match(out(), line)
        assert.equal(out().trim().split('\n').length, 1)
      })
  })

  describe('--watch', () => {
    it('redraws in place, shows transitions, and restores the cursor at Ctrl-C', async () => {
      const { context, out, send } = testContext({ isTerminal: true, height: 24, width: 80 })
      let asked = 0
      const socket = await daemon({ status: async () => (asked++ === 0 ? up() : statusDocument()) })
      const done = status.run({ ...context, options: { ...OPTIONS, socket, watch: '0.1' }, arguments: NONE })
      await until(() => out().includes('up -> down'))
      send('SIGWINCH')
      send('SIGINT')
      assert.equal(await done, EXIT.ok)
      assert.ok(out().startsWith('\u001b[?1049h\u001b[?2004h\u001b[?25l'))
      assert.ok(out().endsWith('\u001b[?25h\u001b[?2004l\u001b[?1049l'))
      assert.match(out(), /web \[2001:db8:1::12\]:80 {2}up -> down {2}refused/)
    })

    it('prints the table once and then lines without a terminal', async () => {
      const { context, out, send } = testContext()
      let asked = 0
      const socket = await daemon({ status: async () => (asked++ === 0 ? up() : statusDocument()) })
      const done = status.run({ ...context, options: { ...OPTIONS, socket, watch: '0.1' }, arguments: NONE })
      await until(() => out().includes('up -> down'))
      send('SIGTERM')
      await done
      assert.equal(out().match(/^web {2}tcp/gm)?.length, 1)
      assert.ok(!out().includes('\u001b'))
    })

    it('ends at q', async () => {
      const { context, out, press } = testContext({ isTerminal: true, height: 24, width: 80 })
      const socket = await daemon()
      const done = status.run({ ...context, options: { ...OPTIONS, socket, watch: '0.1' }, arguments: NONE })
      await until(() => out().includes('web'))
      press('x')
      press('q')
      assert.equal(await done, EXIT.ok)
    })

    it('ends when its output is closed, even without a change', async () => {
      const { context, out, leave } = testContext()
      const socket = await daemon()
      const done = status.run({ ...context, options: { ...OPTIONS, socket, watch: '0.1' }, arguments: NONE })
      await until(() => out().includes('web'))
      leave()
      assert.equal(await done, EXIT.ok)
    })

    it('prints an object on each line, for each change, with --json', async () => {
      const { context, out, send } = testContext()
      let asked = 0
      const lost = statusDocument({ services: [serviceStatus({ state: 'down', reals: [DOWN, DOWN] })] })
      const socket = await daemon({ status: async () => (asked++ === 0 ? up() : lost) })
      const options = { ...OPTIONS, socket, watch: '0.1', json: true }
      const done = status.run({ ...context, options, arguments: NONE })
      await until(() => out().includes('service'))
      send('SIGTERM')
      await done
      const changes = out()
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Record<string, unknown>)
      assert.deepEqual(
        changes.map(({ kind, service, real, from, to }) => [kind, service, real, from, to]),
        [
          ['real', 'web', '[2001:db8:1::12]:80', 'up', 'down'],
          ['real', 'web', '[2001:db8:1::12]:80', 'up', 'down'],
          ['service', 'web', undefined, 'up', 'down'],
        ],
      )
    })

    it('keeps trying and reports it when the daemon has ended', async () => {
      const { context, out, send } = testContext()
      const path = join(folder(), 'lvsd.sock')
      const server = await openControlSocket(path, controlOf())
      // As the program loads it: the view that it imports knows the errors of the same copy of the client.
      const { command } = await import('../../../../src/cli/commands/status.js')
      const done = command.run({
        ...context,
        options: { ...OPTIONS, socket: path, watch: '0.1' },
        arguments: NONE,
      })
      await until(() => out().includes('web'))
      await server.close()
      await until(() => out().includes('lvsd does not run here'))
      const again = await openControlSocket(path, controlOf())
      onCleanup(() => again.close())
      await until(() => out().includes('answers again'))
      send('SIGINT')
      assert.equal(await done, EXIT.ok)
    })
  })
})

describe('status: lvsd reload', () => {
  const at = { line: 3, column: 5, length: 4 }
  const problem = { severity: 'error', code: 'UNKNOWN_KEY', message: 'what?', file: 'a.yaml', at } as const
  const missing = { ...problem, code: 'BAD_INCLUDE', message: 'no b.yaml' }
  const rows: [outcome: Partial<ReloadOutcome>, exit: number, text: RegExp][] = [
    [{ ok: true, message: 'in force' }, EXIT.ok, /^in force$/m],
    [
      { ok: false, message: '1 error', problems: [problem] },
      EXIT.problem,
      /^a.yaml:3:5 UNKNOWN_KEY {2}what\?\n1 error$/m,
    ],
    [
      { ok: false, message: 'a.yaml:3:5 no b.yaml; the rest stays', problems: [missing] },
      EXIT.problem,
      /^a.yaml:3:5 BAD_INCLUDE {2}no b\.yaml\n1 error; the rest stays$/m,
    ],
    [
      {
        ok: false,
        message: 'a.yaml:3:5 no b.yaml (and 1 more error); the rest stays',
        problems: [missing, problem],
      },
      EXIT.problem,
      /UNKNOWN_KEY {2}what\?\n2 errors; the rest stays$/m,
    ],
  ]
  for (const [part, exit, text] of rows)
    it(`prints the outcome and ends with ${exit}`, async () => {
      const { context, out } = testContext()
      const outcome = { ok: true, at: new Date(0).toISOString(), message: '', problems: [], ...part }
      const socket = await daemon({ reload: async () => outcome })
      const options = { socket, force: false, json: false }
      assert.equal(await reload.run({ ...context, options, arguments: {} }), exit)
      assert.match(out(), text)
    })

  it('passes --force to the daemon', async () => {
    const { context } = testContext()
    const forced: boolean[] = []
    const socket = await daemon({
      reload: async isForced => {
        forced.push(isForced)
        return { ok: true, at: '', message: '', problems: [] }
      },
    })
    for (const force of [true, false])
      await reload.run({ ...context, options: { socket, force, json: true }, arguments: {} })
    assert.deepEqual(forced, [true, false])
  })
})

const NONE = { SERVICE: undefined, REAL: undefined }

function ask(socket: string, context = testContext().context) {
  return status.run({ ...context, options: { ...OPTIONS, socket }, arguments: NONE })
}

function up(): StatusDocument {
  return statusDocument({
    services: [serviceStatus({ reals: [realStatus(), realStatus({ host: DOWN.host })] })],
  })
}

/** A control socket with these answers; gives its path. */
async function daemon(part: Partial<Control> = {}): Promise<string> {
  const path = join(folder(), 'lvsd.sock')
  const server = await openControlSocket(path, controlOf(part))
  onCleanup(() => server.close())
  return path
}

/** Root may open everything; for the rest of the test this process is somebody else. */
function asNobody(): void {
  process.seteuid?.(65_534)
  onCleanup(() => process.seteuid?.(0))
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'lvsd-test-'))
  onCleanup(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function unreachable(sentence: RegExp) {
  return (error: CommandError) => {
    assert.equal(error.exit, EXIT.unreachable)
    assert.match(error.message, sentence)
    return true
  }
}
