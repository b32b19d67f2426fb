/** What commands cost that a person or a shell waits for, beside Node itself. The daemon has 2,000 real servers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openControlSocket } from '../../src/api/server.js'
import { realStatus, serviceStatus, statusDocument } from '../support/cli/documents.js'
import { BUNDLE } from '../support/compile.js'
import { controlOf } from '../support/control.js'
import type { Benchmark, Row, Run } from './benchmark.js'
import { chosenTimes } from './chosen.js'
import { now } from './farm.js'
import { childrenMs, childrenUserMs } from './processes.js'
import { lvsdConfig, siteOf } from './sites.js'

const SERVERS = 2000
const MAIN = `${BUNDLE}/src/main.cjs`

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'a Tab: services': ['completion', 'words', '--words', 'target', '--begun=w'],
  'a Tab: real servers': ['completion', 'words', '--words', 'target', '--begun=web/'],
  'lvsd status': ['status'],
  'lvsd windows': ['windows'],
  'lvsd role': ['role'],
  'lvsd --help': ['--help'],
}

/** Real servers of the configurations that are validated. */
const SITES = [10, 1000]

export const benchmark: Benchmark = {
  name: 'commands',
  about: `commands that ask a daemon with ${SERVERS} real servers, and a completion at the Tab key`,
  place: 'here',
  limit: 2,
  measure,
  figures,
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const socket = join(folder, 'lvsd.sock')
  const names = Array.from({ length: SERVERS }, (_, i) => `[2001:db8:1::${(i + 1).toString(16)}]:80`)
  const reals = names.map(name => realStatus({ name, host: name.slice(1, -4) }))
  const daemon = await openControlSocket(
    socket,
    controlOf({
      status: async () => statusDocument({ services: [serviceStatus({ name: 'web', reals })] }),
      why: { targets: async () => [{ service: 'web', reals: names }], explain: async () => '' },
    }),
  )
  const times = chosenTimes(quick ? 3 : 15)
  const validated = SITES.map(count => {
    const file = join(folder, `${count}.yaml`)
    writeFileSync(file, lvsdConfig(siteOf(count)))
    return [validationOf(count), ['validate', file]] as const
  })
  try {
    for (const [figure, words] of [...Object.entries(COMMANDS), ...validated]) {
      const [ours, theirs] = [noCosts(), noCosts()]
      // In turn, because the load of the machine changes.
      for (let i = 0; i < times; i++) {
        await runOnce([MAIN, ...words], { LVSD_SOCKET: socket }, ours)
        await runOnce(['--eval', '0'], {}, theirs)
      }
      yield* rows(figure, ours, theirs)
    }
  } finally {
    await daemon.close()
  }
}

function* figures(): Iterable<Row> {
  for (const figure of [...Object.keys(COMMANDS), ...SITES.map(validationOf)])
    yield* rows(figure, noCosts(), noCosts())
}

const validationOf = (count: number): string => `lvsd validate, ${count} real servers`

function* rows(figure: string, ours: Costs, theirs: Costs): Iterable<Row> {
  const row = { unit: 'ms', beside: 'node -e 0' }
  yield { ...row, figure, ours: ours.wall, theirs: theirs.wall }
  yield { ...row, figure: `${figure}, CPU`, ours: ours.cpu, theirs: theirs.cpu }
  const note = 'in ticks of ten milliseconds'
  yield { ...row, figure: `${figure}, CPU in user mode`, ours: ours.user, theirs: theirs.user, note }
}

interface Costs {
  readonly wall: number[]
  readonly cpu: number[]
  readonly user: number[]
}

function noCosts(): Costs {
  return { wall: [], cpu: [], user: [] }
}

async function runOnce(words: readonly string[], env: NodeJS.ProcessEnv, costs: Costs): Promise<void> {
  const before = { all: childrenMs(), user: childrenUserMs() }
  const began = now()
  const child = spawn(process.execPath, words, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}`)
  costs.wall.push(now() - began)
  costs.cpu.push(childrenMs() - before.all)
  costs.user.push(childrenUserMs() - before.user)
}
