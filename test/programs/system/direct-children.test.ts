import assert from 'node:assert/strict'
import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startDirectly } from '../../../src/system/direct-children.js'
import { startByNode } from '../../../src/system/node-children.js'
import { isSpawnSupported } from '../../../src/system/posix-spawn.js'
import { prepareToRun } from '../../../src/system/processes.js'
import { temporaryFolder } from '../../support/folder.js'

const ENV = { PATH: '/usr/bin:/bin', GREETING: 'good evening' }
const KEPT = 2048

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly said: string
}

async function run(
  file: string,
  argv: readonly string[] = [],
  env: Record<string, string> = ENV,
): Promise<Ended> {
  prepareToRun()
  const child = startDirectly({ file, argv, env }, KEPT, () => {})
  const ended = await child.exit
  return { ...ended, said: await child.finish(false) }
}

const shell = (text: string) => run('/bin/sh', ['-c', text])

function failureOf(start: () => unknown): string | undefined {
  try {
    start()
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message
  }
}

describe('direct-children: a program', function () {
  this.timeout(30_000)
  before(() => assert.equal(isSpawnSupported(), true))

  it('gets its arguments and its environment, and nothing else', async () => {
    const { said } = await run('/bin/sh', ['-c', 'echo "$0 $1 $2 $GREETING"', 'a b', '', '"é*'])
    assert.equal(said, 'a b  "é* good evening\n')
    assert.equal((await run('/usr/bin/env')).said, 'PATH=/usr/bin:/bin\nGREETING=good evening\n')
  })

  it('has three descriptors, a session of its own, the folder /, and default signals', async () => {
    const fds = await run('/bin/ls', ['/proc/self/fd'])
    // The fourth one is the folder that it reads.
    assert.equal(fds.said, '0\n1\n2\n3\n')
    assert.equal((await shell('readlink /proc/self/fd/0; pwd')).said, '/dev/null\n/\n')
    // Asked by the program itself: a shell blocks all signals for a moment while it waits.
    const stat = await run('/usr/bin/cut', ['-d', ' ', '-f', '1,6', '/proc/self/stat'])
    const [pid, session] = stat.said.trim().split(' ')
    assert.equal(session, pid)
    const { said } = await run('/bin/grep', ['-E', '^Sig(Blk|Ign)', '/proc/self/status'])
    const signals = said.trim().split('\n')
    // glibc keeps the signals 32 and 33 for itself.
    const usual = signals.map(line => Number.parseInt(line.slice(-8), 16) & 0x7fff_ffff)
    assert.deepEqual(usual, [0, 0])
  })

  it('ends with a code or a signal', async () => {
    for (const [text, code, signal] of [
      ['exit 0', 0, null],
      ['exit 255', 255, null],
      ['kill -KILL $$', null, 'SIGKILL'],
      ['kill -ABRT $$', null, 'SIGABRT'],
      ['kill -TERM $$', null, 'SIGTERM'],
      ['kill -40 $$', null, 'SIG40'],
    ] as const) {
      const ended = await shell(text)
      assert.deepEqual([ended.code, ended.signal], [code, signal], text)
    }
  })

  it('writes both outputs to one pipe, in order, and can open them by name', async () => {
    assert.equal((await shell('echo a; echo b >&2; echo c')).said, 'a\nb\nc\n')
    assert.equal((await shell('echo a >/dev/stdout; echo b >/dev/stderr')).said, 'a\nb\n')
  })

  it('may print much, of which the beginning stays', async () => {
    const { code, said } = await shell('echo begin; head -c 3000000 /dev/zero; exit 3')
    assert.equal(code, 3)
    assert.equal(said.length, KEPT)
    assert.ok(said.startsWith('begin\n'))
  })

  it('may print much in characters of two bytes: the beginning stays, without a cut one', async () => {
    const text = `BEGIN { printf "x"; for (i = 0; i < 100000; i++) printf "é" }`
    const program = { file: '/usr/bin/awk', argv: [text], env: ENV }
    const wanted = `x${'é'.repeat((KEPT - 2) / 2)}`
    assert.equal((await run(program.file, program.argv)).said, wanted)
    const child = await startByNode(program, KEPT, () => {})
    await child.exit
    assert.equal(await child.finish(false), wanted)
  })

  it('leaves its output to none: a child that keeps the pipe open delays nothing', async () => {
    const began = performance.now()
    assert.equal((await shell('sleep 20 & echo done')).said, 'done\n')
    assert.ok(performance.now() - began < 10_000)
  })

  it('is not started if that is impossible, and nothing stays open', async () => {
    const folder = temporaryFolder()
    const file = (name: string, text: string, mode: number) => {
      writeFileSync(join(folder, name), text)
      chmodSync(join(folder, name), mode)
      return join(folder, name)
    }
    await run('/bin/true')
    const before = readdirSync('/proc/self/fd').length
    const start = (path: string, argv: string[] = []) =>
      failureOf(() => startDirectly({ file: path, argv, env: ENV }, KEPT, () => {}))
    assert.equal(start(join(folder, 'none')), 'ENOENT')
    assert.equal(start(file('mode', '#!/bin/sh\n', 0o644)), 'EACCES')
    assert.equal(start(file('text', 'exit 0\n', 0o755)), 'ENOEXEC')
    assert.equal(start(file('interpreter', '#!/no/such/interpreter\n', 0o755)), 'ENOENT')
    assert.match(start('/bin/true', ['a\0b']) ?? '', /NUL/)
    for (let i = 0; i < 50; i++) assert.equal((await run('/bin/true')).code, 0)
    assert.equal(readdirSync('/proc/self/fd').length, before)
  })

  it('runs beside others', async () => {
    const all = await Promise.all(Array.from({ length: 30 }, (_, i) => shell(`echo ${i}; exit ${i}`)))
    assert.deepEqual(
      all.map(({ code, said }) => [code, said]),
      all.map((_, i) => [i, `${i}\n`]),
    )
  })
})
