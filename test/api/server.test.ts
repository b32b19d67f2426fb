import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Control, openControlSocket, SocketInUse, SocketUnusable } from '../../src/api/server.js'
import { later } from '../helpers/after-each.js'

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
  later(() => rmSync(folder, { recursive: true }))
  return join(folder, 'run', 'lvsd.sock')
}

async function open(socket: string, control = CONTROL): Promise<string> {
  const server = await openControlSocket(socket, control)
  later(() => server.close())
  return socket
}

function ask(
  socketPath: string,
  method: string,
  path: string,
  body = '',
): Promise<{ status: number; value: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path }, response => {
      let text = ''
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, value: JSON.parse(text) }))
    })
    sent.on('error', reject).end(body)
  })
}

describe('the control socket', () => {
  it('answers the status as JSON', async () => {
    const socket = await open(path())
    assert.deepEqual(await ask(socket, 'GET', '/status'), { status: 200, value: { version: '1' } })
  })

  it('is open to its owner alone', async () => {
    assert.equal(statSync(await open(path())).mode & 0o777, 0o600)
  })

  it('reloads, forced only when told so', async () => {
    const socket = await open(path())
    forced.length = 0
    await ask(socket, 'POST', '/reload')
    await ask(socket, 'POST', '/reload', '{"force": true}')
    await ask(socket, 'POST', '/reload', '{"force": "yes"}')
    assert.deepEqual(forced, [false, true, false])
  })

  it('says what there is when asked for something else', async () => {
    const { status, value } = await ask(await open(path()), 'GET', '/nothing')
    assert.equal(status, 404)
    assert.match(JSON.stringify(value), /GET \/status, POST \/reload/)
  })

  it('turns failures and rubbish into answers and lives on', async () => {
    const socket = await open(path(), { ...CONTROL, status: () => Promise.reject(new Error('no table')) })
    assert.deepEqual(await ask(socket, 'GET', '/status'), { status: 500, value: { error: 'no table' } })
    assert.equal((await ask(socket, 'POST', '/reload', '{')).status, 400)
    assert.equal((await ask(socket, 'POST', '/reload', ' '.repeat(70_000))).status, 413)
    assert.equal((await ask(socket, 'POST', '/reload', '[]')).status, 200)
  })

  it('turns into an answer what cannot be said as JSON', async () => {
    const socket = await open(path(), { ...CONTROL, status: async () => ({ size: 1n }) as never })
    assert.equal((await ask(socket, 'GET', '/status')).status, 500)
    assert.equal((await ask(socket, 'POST', '/reload')).status, 200)
  })

  it('has room for so many connections and no more, and serves again once they are gone', async () => {
    const socket = await open(path())
    const idle = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const client = connect(socket)
        await once(client, 'connect')
        return client
      }),
    )
    await assert.rejects(ask(socket, 'GET', '/status'))
    for (const client of idle) client.destroy()
    await Promise.all(idle.map(client => client.closed || once(client, 'close')))
    for (;;) {
      const answer = await ask(socket, 'GET', '/status').catch(() => null)
      if (answer) return assert.equal(answer.status, 200)
    }
  })

  it('takes the place of a socket whose process is gone', async () => {
    const socket = path()
    const dead = createServer()
    const gone = await openControlSocket(socket, CONTROL)
    await gone.close()
    writeFileSync(socket, '')
    dead.close()
    await open(socket)
    assert.equal((await ask(socket, 'GET', '/status')).status, 200)
  })

  it('is refused while another lvsd serves it, which goes on', async () => {
    const socket = await open(path())
    await assert.rejects(openControlSocket(socket, CONTROL), SocketInUse)
    assert.equal((await ask(socket, 'GET', '/status')).status, 200)
  })

  it('says what is wrong with its place, and removes nothing there that is no socket', async () => {
    const file = path()
    mkdirSync(dirname(file))
    writeFileSync(file, 'a file of somebody')
    const rows: [string, RegExp][] = [
      [file, /what is there is no socket.*--socket/],
      [join(file, 'lvsd.sock'), /EEXIST|ENOTDIR/],
      [dirname(file), /what is there is no socket/],
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
