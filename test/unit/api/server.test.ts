import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer as createHttpServer, request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fetchStatus } from '../../../src/api/client.js'
import { type Control, openControlSocket, SocketInUse, SocketUnusable } from '../../../src/api/server.js'
import { onCleanup } from '../../support/after-each.js'
import { NOBODY, needsRoot } from '../../support/as-root.js'
import { controlOf } from '../../support/control.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { pause, until } from '../../support/until.js'

const forced: boolean[] = []
const CONTROL = {
  status: async () => ({ version: '1' }),
  reload: async (isForced: boolean) => {
    forced.push(isForced)
    return { ok: true }
  },
} as unknown as Control

function path(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-api-'))
  onCleanup(() => rmSync(folder, { recursive: true }))
  return join(folder, 'run', 'lvsd.sock')
}

async function open(socket: string, control = CONTROL): Promise<string> {
  const server = await openControlSocket(socket, control)
  onCleanup(() => server.close())
  return socket
}

function ask(
  socketPath: string,
  method: string,
  path: string,
  body = '',
): Promise<{ status: number; value: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, response => {
      let text = ''
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, value: JSON.parse(text) }))
    })
    sent.on('error', reject).end(body)
  })
}

/** Sockets of this process that are connected, listening ones left out. */
function openConnections(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'PipeWrap').length
}

describe('server: the control socket', () => {
  it('answers the status as JSON', async () => {
    const socket = await open(path())
    assert.deepEqual(await ask(socket, 'GET', '/v1/status'), { status: 200, value: { version: '1' } })
  })

  it('is open to its owner alone', async () => {
    assert.equal(statSync(await open(path())).mode & 0o777, 0o600)
  })

  describe('with a group', () => {
    /** The mode of the socket, and its group. */
    const access = (socket: string) => {
      const { mode, gid } = statSync(socket)
      return [(mode & 0o777).toString(8), gid]
    }
    const own = process.getgid?.() ?? 0
    const opened = async () => {
      const { log, lines } = recordingLog()
      const place = path()
      const server = await openControlSocket(place, CONTROL, log)
      onCleanup(() => server.close())
      return { place, server, lines }
    }

    it('is open to its members until it has none', async () => {
      const { place, server, lines } = await opened()
      server.setGroup(String(own))
      assert.deepEqual(access(place), ['660', own])
      server.setGroup(null)
      assert.deepEqual(access(place), ['600', own])
      assert.deepEqual(lines, [])
    })

    it('changes to another one, which may not reach into another file at its path', async function () {
      needsRoot(() => this.skip())
      const { place, server, lines } = await opened()
      server.setGroup('daemon')
      const [mode, gid] = access(place)
      assert.deepEqual([mode, gid === own], ['660', false])
      server.setGroup(String(NOBODY))
      assert.deepEqual(access(place), ['660', NOBODY])
      const other = join(dirname(place), 'other')
      writeFileSync(other, '', { mode: 0o600 })
      rmSync(place)
      symlinkSync(other, place)
      server.setGroup('daemon')
      assert.deepEqual(access(other), ['600', own])
      assert.equal(lines[0]?.event, 'socket.group-failed')
    })

    it('stays closed where there is no such group, says so once, and opens when there is', async () => {
      const { place, server, lines } = await opened()
      for (let i = 0; i < 2; i++) server.setGroup('no-such-group')
      assert.deepEqual(access(place), ['600', own])
      assert.deepEqual(
        lines.map(({ event, group, msg }) => [event, group, msg]),
        [
          [
            'socket.group-failed',
            'no-such-group',
            'only the owner can use the control socket: there is no such group in /etc/group',
          ],
        ],
      )
      server.setGroup(String(own))
      assert.deepEqual(access(place), ['660', own])
    })

    it('tells the member who asks, whatever he claims', async function () {
      needsRoot(() => this.skip())
      const asked: string[] = []
      const outcome = { ok: true, message: '', ended: 0, isKept: true, reals: [] }
      const give = async (_: unknown, who: string) => {
        asked.push(who)
        return outcome
      }
      const place = path()
      const server = await openControlSocket(
        place,
        controlOf({ overrides: { give, end: async () => outcome } }),
      )
      onCleanup(() => server.close())
      for (const folder of [dirname(place), dirname(dirname(place))]) chmodSync(folder, 0o755)
      const request = {
        targets: [{ service: 'web', real: null }],
        effect: { kind: 'drain' },
        reason: '',
        until: null,
      }
      const script = `require('node:http').request({ socketPath: process.argv[1], method: 'POST', path: '/v1/overrides',
        headers: { 'x-sudo-user': 'anna' } }, answer => answer.resume()).on('error', error => console.log(error.code)).end(process.argv[2])`
      const ask = async () => {
        const options = { uid: NOBODY, gid: NOBODY, cwd: '/' }
        const child = spawn(process.execPath, ['-e', script, place, JSON.stringify(request)], options)
        let out = ''
        child.stdout.on('data', data => {
          out += data
        })
        await once(child, 'close')
        return out.trim()
      }
      assert.equal(await ask(), 'EACCES')
      server.setGroup(String(NOBODY))
      assert.equal(await ask(), '')
      assert.deepEqual(asked, ['nobody'])
    })
  })

  it('reloads, forced only when told so', async () => {
    const socket = await open(path())
    forced.length = 0
    await ask(socket, 'POST', '/v1/reload')
    await ask(socket, 'POST', '/v1/reload', '{"force": true}')
    assert.equal((await ask(socket, 'POST', '/v1/reload', '{"force": "yes"}')).status, 400)
    assert.deepEqual(forced, [false, true])
  })

  it('says what there is when asked for something else', async () => {
    const { status, value } = await ask(await open(path()), 'GET', '/nothing')
    assert.equal(status, 404)
    assert.match(JSON.stringify(value), /there is no path \/nothing; \/v1\/openapi.json has all paths/)
  })

  it('turns failures and rubbish into answers and lives on', async () => {
    const socket = await open(path(), { ...CONTROL, status: () => Promise.reject(new Error('no table')) })
    const failed = await ask(socket, 'GET', '/v1/status')
    assert.deepEqual([failed.status, (failed.value as { detail: string }).detail], [500, 'no table'])
    assert.equal((await ask(socket, 'POST', '/v1/reload', '{')).status, 400)
    assert.equal((await ask(socket, 'POST', '/v1/reload', ' '.repeat(70_000))).status, 413)
    assert.equal((await ask(socket, 'POST', '/v1/reload', '[]')).status, 400)
    assert.equal((await ask(socket, 'POST', '/v1/reload', '{}')).status, 200)
  })

  it('turns into an answer what cannot be said as JSON', async () => {
    const socket = await open(path(), { ...CONTROL, status: async () => ({ size: 1n }) as never })
    assert.equal((await ask(socket, 'GET', '/v1/status')).status, 500)
    assert.equal((await ask(socket, 'POST', '/v1/reload')).status, 200)
  })

  const halves: [string, string][] = [
    ['nothing', ''],
    ['half a head', 'GET /v1/status HTTP/1.1\r\nhost: l'],
    ['half a body', 'POST /v1/reload HTTP/1.1\r\nhost: l\r\ncontent-length: 20\r\n\r\n{'],
  ]
  for (const [what, text] of halves)
    it(`answers while a hundred clients have said ${what}`, async () => {
      const socket = await open(path())
      for (let i = 0; i < 100; i++) {
        const client = connect(socket).on('error', () => {})
        onCleanup(() => client.destroy())
        await once(client, 'connect')
        client.write(text)
      }
      const began = performance.now()
      assert.equal((await ask(socket, 'GET', '/v1/status')).status, 200)
      // Each of them may take 10 s.
      assert.ok(performance.now() - began < 5000)
    })

  it('is asked again by a client whose connection was closed before its request was read', async () => {
    const socket = join(temporaryFolder(), 's.sock')
    let connections = 0
    const server = createHttpServer((_, response) => response.end('{"schema":2}'))
    server.on('connection', client => ++connections < 4 && client.destroy())
    server.listen(socket)
    onCleanup(() => server.close())
    await once(server, 'listening')
    assert.deepEqual([await fetchStatus(socket), connections], [{ schema: 2 }, 4])
  })

  it('answers the requests of one connection one after the other, and drops one that sends very many', async () => {
    let running = 0
    let most = 0
    let made = 0
    const status = async () => {
      made++
      most = Math.max(most, ++running)
      await new Promise(resolve => setTimeout(resolve, 5))
      running--
      return { made } as never
    }
    const socket = await open(path(), { ...CONTROL, status })
    const question = 'GET /v1/status HTTP/1.1\r\nhost: l\r\n\r\n'
    const heard = async (text: string, answers: number) => {
      const client = connect(socket).on('error', () => {})
      onCleanup(() => client.destroy())
      let got = ''
      client.on('data', chunk => {
        got += chunk
      })
      client.write(text)
      const isEnough = () => got.split('200 OK').length - 1 >= answers
      await until(() => client.destroyed || isEnough())
      return got.split('200 OK').length - 1
    }
    assert.equal(await heard(question.repeat(5), 5), 5)
    assert.ok((await heard(question.repeat(3000), 3000)) < 20)
    assert.equal(most, 1)
    assert.ok(made < 20, `${made} documents`)
  })

  it('gives all who ask at one moment the same status, and another after a reload', async () => {
    let made = 0
    let release = () => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    const status = async () => {
      await released
      return { made: ++made } as never
    }
    const socket = await open(path(), { ...CONTROL, status })
    const before = openConnections()
    const asked = Array.from({ length: 30 }, () => ask(socket, 'GET', '/v1/status'))
    // Both ends of all of them are in this process.
    await until(() => openConnections() >= before + 60)
    await pause(100)
    release()
    const all = await Promise.all(asked)
    assert.deepEqual([...new Set(all.map(({ value }) => JSON.stringify(value)))], ['{"made":1}'])
    await ask(socket, 'POST', '/v1/reload')
    assert.deepEqual((await ask(socket, 'GET', '/v1/status')).value, { made: 2 })
  })

  it('is made again where somebody removes it, and says so', async () => {
    const { log, lines } = recordingLog()
    const socket = path()
    const server = await openControlSocket(socket, CONTROL, log)
    onCleanup(() => server.close())
    for (const removed of [socket, dirname(socket)]) {
      rmSync(removed, { recursive: true })
      await until(() => existsSync(socket))
      assert.equal((await ask(socket, 'GET', '/v1/status')).status, 200)
      assert.equal(statSync(socket).mode & 0o777, 0o600)
    }
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      Array(2).fill('another program removed the control socket; lvsd has created it again'),
    )
  })

  it('that another lvsd has taken meanwhile is left to it, then taken back', async () => {
    const { log, lines } = recordingLog()
    const socket = path()
    const first = await openControlSocket(socket, CONTROL, log)
    onCleanup(() => first.close())
    rmSync(socket)
    const other = { ...CONTROL, status: async () => ({ version: 'other' }) as never }
    const second = await openControlSocket(socket, other)
    await until(() => lines.length > 0)
    assert.match(lines[0]?.msg ?? '', /another program serves the path/)
    assert.deepEqual((await ask(socket, 'GET', '/v1/status')).value, { version: 'other' })
    await second.close()
    await until(() => existsSync(socket))
    assert.deepEqual((await ask(socket, 'GET', '/v1/status')).value, { version: '1' })
  })

  it('does not remove the socket of another lvsd when it is closed', async () => {
    const socket = path()
    const first = await openControlSocket(socket, CONTROL)
    rmSync(socket)
    await open(socket)
    await first.close()
    assert.equal((await ask(socket, 'GET', '/v1/status')).status, 200)
  })

  it('leaves nothing behind', async () => {
    const socket = path()
    const server = await openControlSocket(socket, CONTROL)
    await server.close()
    assert.deepEqual(readdirSync(dirname(socket)), [])
  })

  it('takes the place of a socket whose process is gone', async () => {
    const socket = path()
    const dead = createServer()
    const gone = await openControlSocket(socket, CONTROL)
    await gone.close()
    writeFileSync(socket, '')
    dead.close()
    await open(socket)
    assert.equal((await ask(socket, 'GET', '/v1/status')).status, 200)
  })

  it('is refused while another lvsd serves it, which goes on', async () => {
    const socket = await open(path())
    await assert.rejects(openControlSocket(socket, CONTROL), SocketInUse)
    assert.equal((await ask(socket, 'GET', '/v1/status')).status, 200)
  })

  it('says what is wrong with its place, and removes nothing there that is no socket', async () => {
    const file = path()
    mkdirSync(dirname(file))
    writeFileSync(file, 'a file of somebody')
    const rows: [string, RegExp][] = [
      [file, /the path exists and is not a socket.*--socket/],
      [join(file, 'lvsd.sock'), /EEXIST|ENOTDIR/],
      [dirname(file), /the path exists and is not a socket/],
      [join(dirname(file), `${'x'.repeat(110)}.sock`), /at most 107 bytes/],
    ]
    for (const [place, why] of rows)
      await assert.rejects(openControlSocket(place, CONTROL), (error: Error) => {
        assert.ok(error instanceof SocketUnusable, String(error))
        assert.match(error.message, why)
        return true
      })
    assert.equal(readFileSync(file, 'utf8'), 'a file of somebody')
  })
})
