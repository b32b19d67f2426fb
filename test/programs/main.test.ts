import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, openSync, rmSync } from 'node:fs'
import { openControlSocket } from '../../src/api/server.js'
import { onCleanup } from '../support/after-each.js'
import { installed } from '../support/compile.js'
import { controlOf } from '../support/control.js'
import { temporaryFile } from '../support/folder.js'

const MAIN = installed('main')

/** Each row starts a process, so there are few: one for each exit code and each way of ending. */
describe('main: the process', () => {
  const rows: [words: string[], exit: number, out: RegExp, err: RegExp][] = [
    [['--version'], 0, /^lvsd \d+\.\d+\.\d+\n$/, /^$/],
    [['version'], 0, /^lvsd \d+\.\d+\.\d+\n$/, /^$/],
    [['-v'], 0, /^lvsd \d+\.\d+\.\d+\n$/, /^$/],
    [['--help'], 0, /^lvsd keeps [\s\S]*\n {2}status +Show [\s\S]*\n {2}4 {2}the kernel refused/, /^$/],
    [[], 2, /^$/, /^lvsd keeps [\s\S]*\n {2}status +Show /],
    [['validate', '/none.yaml'], 1, /FILE_UNREADABLE/, /^$/],
    [
      ['statsu'],
      2,
      /^$/,
      /^lvsd: statsu is not a command of lvsd; did you mean "status"\?\nTry: lvsd --help\n$/,
    ],
    [['st\u001b[31mop'], 2, /^$/, /^lvsd: st[^\p{C}]\[31mop is not a command of lvsd\nTry: lvsd --help\n$/u],
    [
      ['status', '--socket', '/none.sock'],
      3,
      /^$/,
      /^lvsd: lvsd does not run here: \/none\.sock does not exist\./,
    ],
  ]
  for (const [words, exit, out, err] of rows)
    it(`lvsd ${words.join(' ')} ends with ${exit}`, async () => {
      const ended = await lvsd(words)
      assert.match(ended.out, out)
      assert.match(ended.err, err)
      assert.equal(ended.exit, exit)
    })

  it('says in one sentence that too few descriptors are left, from where Node.js itself can read it', async () => {
    const ends = new Set<string>()
    for (let limit = 16; limit < 26; limit++) {
      const { out, err, exit } = await lvsdWithin(limit, ['run', '/none.yaml', '--kernel', 'memory'])
      const isRead = !err.includes(MAIN) && exit !== null && exit < 128
      if (!isRead) continue
      assert.doesNotMatch(out + err, /^ +at /m)
      ends.add(`${exit}: ${/^lvsd: no file descriptor is left to start with/.exec(err)?.[0]}`)
    }
    assert.ok(ends.has('5: lvsd: no file descriptor is left to start with'), [...ends].join())
  })

  it('prints only ASCII for people in a locale without UTF-8, and does not change data', async () => {
    const file = temporaryFile(
      'fallback.yaml',
      'services:\n  büro:\n    virtual: "[::]:80"\n    checkport: 1\n',
    )
    const told = await lvsd(['validate', file], undefined, { LC_ALL: 'C' })
    assert.match(told.out, /write check: \{ checkport: \.\.\. \}/)
    const utf8 = await lvsd(['validate', file], undefined, { LC_ALL: 'C.UTF-8' })
    assert.match(utf8.out, /write check: \{ checkport: … \}/)
    const json = await lvsd(['validate', '--json', file], undefined, { LC_ALL: 'C' })
    assert.match(json.out, /write check: \{ checkport: … \}/)
  })

  it('prints no error when its output is closed', async () => {
    const file = temporaryFile('many.yaml', `services:\n${'  a: [\n'.repeat(3)}`)
    const { err } = await lvsd(['validate', file], child => child.stdout?.destroy())
    assert.equal(err, '')
  })

  it('ends --watch when its output is closed, even if nothing is written', async () => {
    const socket = temporaryFile('lvsd.sock', '')
    rmSync(socket)
    const server = await openControlSocket(socket, controlOf())
    onCleanup(() => server.close())
    const ended = await lvsd(['status', '--socket', socket, '--watch', '0.2'], child =>
      child.stdout?.once('data', () => child.stdout?.destroy()),
    )
    assert.deepEqual([ended.exit, ended.err], [0, ''])
  })

  it('ends with one sentence when its output cannot be written, whatever the command', async () => {
    const socket = temporaryFile('lvsd.sock', '')
    rmSync(socket)
    const event = {
      id: 1,
      time: '2026-11-28T12:00:00.000Z',
      level: 'info',
      event: 'daemon.started',
      msg: 'lvsd runs',
    }
    const wait = async () => ({ oldest: 1, newest: 1, hasMore: false, events: [event] as never })
    const server = await openControlSocket(socket, controlOf({ events: { wait } }))
    onCleanup(() => server.close())
    const full = openSync('/dev/full', 'w')
    onCleanup(() => closeSync(full))
    const commands = [
      ['--version'],
      ['status', '--socket', socket],
      ['status', '--socket', socket, '--watch', '0.2'],
      ['events', '--socket', socket, '--follow'],
    ]
    for (const words of commands)
      assert.deepEqual(
        await lvsd(words, undefined, {}, full),
        {
          exit: 1,
          out: '',
          err: 'lvsd: the output cannot be written: ENOSPC: no space left on device, write\n',
        },
        words.join(' '),
      )
  })

  it('prints a stack only on request, and never for an error of the user', async () => {
    const torn = `const write = process.stdout.write
      process.stdout.write = (text, ...rest) => {
        if (text) throw new Error('torn')
        return write.call(process.stdout, text, ...rest)
      }`
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(torn)}`
    const fault = await lvsd(['--version'], undefined, { NODE_OPTIONS })
    assert.equal(fault.err, 'lvsd: unexpected: torn (LVSD_DEBUG=1 shows where)\n')
    assert.equal(fault.exit, 5)
    const shown = await lvsd(['--version'], undefined, { NODE_OPTIONS, LVSD_DEBUG: '1' })
    assert.match(shown.err, /^Error: torn\n +at [\s\S]*\nlvsd: unexpected: torn\n$/)
    const slip = await lvsd(['status', '--socket', '/none.sock'], undefined, { LVSD_DEBUG: '1' })
    assert.match(slip.err, /^lvsd: lvsd does not run here: .*\n$/)
  })
})

interface Ended {
  readonly exit: number | null
  readonly out: string
  readonly err: string
}

function lvsd(
  words: readonly string[],
  touch: (child: ReturnType<typeof spawn>) => void = () => {},
  env: Record<string, string> = {},
  stdout: 'pipe' | number = 'pipe',
): Promise<Ended> {
  return ended([process.execPath, MAIN, ...words], touch, env, stdout)
}

/** Runs lvsd with so many descriptors at most. */
function lvsdWithin(limit: number, words: readonly string[]): Promise<Ended> {
  return ended(['sh', '-c', `ulimit -n ${limit} && exec "$0" "$@"`, process.execPath, MAIN, ...words])
}

function ended(
  [program = '', ...words]: readonly string[],
  touch: (child: ReturnType<typeof spawn>) => void = () => {},
  env: Record<string, string> = {},
  stdout: 'pipe' | number = 'pipe',
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      env: { ...process.env, LVSD_DEBUG: '', ...env },
      stdio: ['pipe', stdout, 'pipe'],
    })
    let out = ''
    let err = ''
    child.stdout?.on('data', chunk => {
      out += chunk
    })
    child.stderr?.on('data', chunk => {
      err += chunk
    })
    child.on('error', reject)
    child.on('close', exit => resolve({ exit, out, err }))
    touch(child)
  })
}
