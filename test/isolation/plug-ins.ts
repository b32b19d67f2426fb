/**
 * Careless and hostile plug-ins, as files of a user's folder. Each asks the server for a word first and does its worst only
 * where the server says `bad`: the same kind must stay right for all other servers.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.js'

/** What each does when the server says `bad`, as statements within `run`. */
export const PLUG_INS: Readonly<Record<string, string>> = {
  loops: 'while (true) {}',
  'throws-late': "setTimeout(() => { throw new Error('late') }, 20); return up",
  'throws-in-emitter': "new EventEmitter().emit('error', new Error('nobody listens'))",
  'rejects-beside': "const a = wait(50); const b = Promise.reject(new Error('beside')); await a; await b",
  exits: 'process.exit(0)',
  'exits-late': 'setTimeout(() => process.exit(0), 20); return up',
  'kills-itself': "process.kill(process.pid, 'SIGKILL')",
  'socket-without-listener': "connect({ host: '::1', port: 1 }); await wait(100); return up",
  'allocates-objects': 'const all = []; while (true) all.push(new Array(10_000).fill({}))',
  'allocates-buffers': 'const all = []; while (true) { all.push(Buffer.alloc(1 << 20, 1)); await wait(0) }',
  'never-settles': 'await new Promise(() => {})',
  'prints-much':
    "for (let i = 0; i < 10_000; i++) console.log('x'.repeat(1000)); return { ok: false, reason: 'error', detail: 'printed' }",
  'writes-around':
    "fs.writeSync(1, 'here\\n'); fs.write(1, 'here\\n', () => {}); fs.writeFileSync(1, 'here\\n'); fs.writevSync(2, [Buffer.from('here\\n')]); fs.createWriteStream(null, { fd: 2, autoClose: false }).write('here\\n'); process.stdout._write('here\\n', 'utf8', () => {}); spawnSync('echo', ['here'], { stdio: 'inherit' }); spawn('echo', ['here'], { stdio: ['ignore', 1, process.stderr] }); await wait(100); return down",
  'allocates-shared':
    'const all = []; while (true) { all.push(new Uint8Array(new SharedArrayBuffer(1 << 23)).fill(1)); await wait(1) }',
  'takes-a-long-step': 'return new Array(1e8).fill(0).concat(new Array(1e8).fill(1)).length > 0 ? up : down',
  'keeps-the-threads':
    "const fifo = '/tmp/lvsd-fifo-' + process.pid; spawnSync('mkfifo', [fifo]); for (let i = 0; i < 8; i++) fs.readFile(fifo, () => {}); await wait(100); fs.unlinkSync(fifo); await fs.promises.stat('/'); return up",
  'leaves-daemons':
    "for (let i = 0; i < 5; i++) spawn('setsid', ['-f', 'sleep', '77777'], { stdio: 'ignore' }); await wait(100); return down",
  'kills-lvsd': "process.kill(process.ppid, 'SIGKILL'); return up",
  'sends-garbage': "fs.writeSync(4, 'what is this'); await wait(100); return up",
  'floods-lvsd': 'const zeros = Buffer.alloc(1 << 16); while (true) fs.writeSync(4, zeros)',
  'names-phases':
    "while (!signal.aborted) { for (let i = 0; i < 2000; i++) phase('own ' + i); await wait(0) }",
  'answers-rubbish': "return { ok: 'yes', get detail() { throw new Error('no') } }",
  'answers-a-proxy': "return new Proxy({}, { get() { throw new Error('trap') } })",
  'blocks-in-regexp': "return /^(a|a)*b$/.test('a'.repeat(40)) ? up : down",
  'blocks-by-atomics': 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); return up',
}

/** The kinds that ruin the import of their file: the folder's other kinds must load. */
export const BROKEN_FILES: Readonly<Record<string, string>> = {
  'import-loops': 'while (true) {}',
  'import-exits': 'process.exit(3)',
  'import-throws': "throw new Error('broken')",
  'import-waits': 'await new Promise(() => setInterval(() => {}, 1000))',
  'import-allocates': 'const all = []; while (true) all.push(new Array(10_000).fill({}))',
  'import-keeps-the-threads':
    "const fifo = '/tmp/lvsd-fifo-' + process.pid; spawnSync('mkfifo', [fifo]); for (let i = 0; i < 8; i++) fs.readFile(fifo, () => {}); setTimeout(() => fs.unlinkSync(fifo), 300); await new Promise(() => {})",
}

const FILE = (name: string, worst: string) => `
import { EventEmitter, once } from 'node:events'
import fs from 'node:fs'
import { connect } from 'node:net'
import { spawn, spawnSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
void [EventEmitter, fs, spawn, spawnSync, wait]
const up = { ok: true, reason: null, detail: 'says ok' }
const down = { ok: false, reason: 'unexpected', detail: 'says something else' }
void down
export const check = {
  name: '${name}',
  summary: 'a plug-in of the tests',
  options: () => ({}),
  async run({ address, port }, _options, { signal, phase }) {
    void phase
    const socket = connect({ host: address.text, port, signal })
    socket.on('error', () => {})
    try {
      await once(socket, 'connect')
      const [chunk] = await once(socket, 'data')
      if (String(chunk).startsWith('ok')) return up
    } finally {
      socket.destroy()
    }
    ${worst}
  },
}
`

/** A folder with these plug-ins; with `isBroken` also the files that cannot be imported. */
export function plugInFolder(names: readonly string[], isBroken = false): string {
  const folder = join(temporaryFolder(), 'checks')
  mkdirSync(folder, { mode: 0o755 })
  for (const name of names)
    writeFileSync(join(folder, `${name}.mjs`), FILE(name, PLUG_INS[name] ?? ''), { mode: 0o644 })
  if (isBroken)
    for (const [name, text] of Object.entries(BROKEN_FILES))
      writeFileSync(join(folder, `${name}.mjs`), `${text}\n${FILE(name, '')}`, { mode: 0o644 })
  return folder
}
