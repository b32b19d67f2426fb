/**
 * Measures lvsd beside its peers: `npm run bench [-- NAME …] [--quick] [--json]`. What needs the kernel's table runs in
 * the lab, in which this same program is started again. Nothing here passes or fails: a figure is for people.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { counted } from '../../src/util/plural.js'
import { bundle, compile } from '../support/compile.js'
import { findLab, runInLab } from '../support/lab.js'
import { benchmark as apply } from './apply.js'
import type { Benchmark, Row } from './benchmark.js'
import { benchmark as checks } from './checks.js'
import { benchmark as commands } from './commands.js'
import { compileTools } from './compile-tools.js'
import { benchmark as detect } from './detect.js'
import { benchmark as external } from './external-checks.js'
import { benchmark as faults } from './faults.js'
import { CLOCK, tellGuestClock } from './guest-clock.js'
import { benchmark as https } from './https-checks.js'
import { prepareLab } from './lab-network.js'
import { AIMS, measuring, NARROWED, type Reached, RUNS, reached } from './limit.js'
import { benchmark as listeners } from './listeners.js'
import { sentenceOf, watchLoad } from './load.js'
import { benchmark as memory } from './memory.js'
import { benchmark as metrics } from './metrics.js'
import { benchmark as page } from './page.js'
import { renderAimJson, renderAims, renderJson, renderTable } from './print.js'
import { benchmark as redis } from './redis.js'
import { benchmark as reload } from './reload.js'
import { benchmark as reloadInMemory } from './reload-in-memory.js'
import { benchmark as sentinels } from './sentinels.js'
import { benchmark as start } from './start.js'
import { benchmark as startInMemory } from './start-in-memory.js'
import { benchmark as turns } from './turns.js'
import { benchmark as watching } from './watching.js'

const all: readonly Benchmark[] = [
  apply,
  checks,
  https,
  external,
  commands,
  detect,
  faults,
  redis,
  reload,
  sentinels,
  reloadInMemory,
  start,
  startInMemory,
  turns,
  watching,
  memory,
  metrics,
  listeners,
  page,
]

/** Not one of all: it consists of others. */
const LIMIT = 'limit'

// Node.js reads and parses these certificates at each start, for 40 ms. A director of a service manager does not have the variable.
delete process.env.NODE_EXTRA_CA_CERTS

/** With tsx, what runs in this process would be measured with its wrappers of functions: up to twice the time. */
const isCompiled = import.meta.url.endsWith('.js')

/** Variables that benchmarks in a lab read. */
const HANDED = ['FAULTS', 'INTERVALS', 'TIMES']

/** Before each row that comes out of a lab, where daemons may print too. */
const ROW = 'row: '

// A lab is a process group of its own, which ends with this process: by an exit, not by a signal.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

const { values: options, positionals: given } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    /** Set by this program where it starts itself in the lab. */
    'in-lab': { type: 'boolean', default: false },
  },
})

if (options.help) help()
else if (options['in-lab']) await runInside()
else if (isCompiled) await (given.includes(LIMIT) ? runLimit() : runAll())
else runCompiled()

function help(): void {
  console.log('npm run bench [-- NAME …] [--quick] [--json]\n')
  for (const { name, about, place } of all)
    console.log(`  ${name.padEnd(16)} ${about}${place === 'lab' ? ' (in the lab)' : ''}`)
  console.log(
    `  ${LIMIT.padEnd(16)} what lvsd is to reach: ${measuring(AIMS).join(', ')} in their quick forms, ${RUNS} times (an hour; with --quick once)`,
  )
}

function chosen(names: readonly string[] = given): readonly Benchmark[] {
  for (const name of names)
    if (name !== LIMIT && !all.some(each => each.name === name))
      throw new Error(`there is no benchmark "${name}"; see --help`)
  return all.filter(({ name }) => names.length === 0 || names.includes(name))
}

/** Compiles everything and starts this program again. What it starts is compiled, too. */
function runCompiled(): void {
  chosen()
  compile(process.cwd())
  bundle(process.cwd())
  compileTools()
  const program = ['--enable-source-maps', 'build/test/bench/main.js', ...process.argv.slice(2)]
  const running = spawn(process.execPath, program, { stdio: 'inherit' })
  running.once('exit', code => process.exit(code ?? 1))
}

async function runAll(): Promise<void> {
  if (!options.json) introduce()
  for (const each of chosen()) {
    if (!options.json) console.log(`\n${each.name}: ${each.about}`)
    const loadOf = watchLoad()
    const rows = await rowsOf(each, options.quick)
    if (!options.json) console.log(`${renderTable(rows)}\n(${sentenceOf(loadOf())})`)
  }
}

/** All runs of a benchmark, one after the other; then what they say of its aims. */
async function runLimit(): Promise<void> {
  if (!options.json) introduce()
  const loadOf = watchLoad()
  const times = Number(process.env.RUNS ?? (options.quick ? 1 : RUNS))
  const found: Reached[] = []
  const wanted = given.filter(name => name !== LIMIT)
  for (const name of measuring(AIMS).filter(name => wanted.length === 0 || wanted.includes(name))) {
    const [each] = chosen([name])
    if (!each) continue
    if (!options.json) console.log(`\n${name}, ${counted(times, 'run')}: ${each.about}`)
    process.env = { ...NARROWED[name], ...process.env }
    const runs: Row[][] = []
    for (let i = 0; i < times; i++) runs.push(await rowsOf(each, true))
    const aims = AIMS.filter(({ benchmark }) => benchmark === name).map(aim => reached(aim, runs))
    found.push(...aims)
    if (options.json) for (const aim of aims) console.log(renderAimJson(aim))
    else console.log(renderAims(aims))
  }
  if (options.json) return
  const met = found.filter(({ isMet }) => isMet).length
  console.log(
    `\n${renderAims(found)}\n${met} of ${found.length} are met in ${counted(times, 'run')}, minimum / median / maximum`,
  )
  console.log(`(${sentenceOf(loadOf())})`)
}

function introduce(): void {
  console.log(
    `Node ${process.version}, Linux ${release()}, ${cpus().length} processors of ${cpus()[0]?.model}`,
  )
  console.log('"lvsd is 0.25 x": a quarter of what the other takes. Figures are medians.')
}

/** The rows of one run, with as many as came where it fails. */
async function rowsOf(benchmark: Benchmark, quick: boolean): Promise<Row[]> {
  const rows: Row[] = []
  try {
    for await (const row of benchmark.place === 'lab' ? inLab(benchmark, quick) : here(benchmark, quick)) {
      rows.push(row)
      if (options.json) console.log(renderJson(benchmark.name, row))
    }
  } catch (error) {
    console.error(`${benchmark.name} did not come to its end:`, error)
    process.exitCode = 1
  }
  return rows
}

async function* here(benchmark: Benchmark, quick: boolean): AsyncIterable<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-bench-'))
  try {
    yield* benchmark.measure({ quick, folder })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function* inLab({ name, limit }: Benchmark, quick: boolean): AsyncIterable<Row> {
  const lab = await findLab()
  if (lab.kind === 'none') {
    console.error(`${name} is left out: ${lab.reason}`)
    return
  }
  const words = quick ? ['--quick'] : []
  const handed = HANDED.flatMap(key =>
    process.env[key] === undefined ? [] : [[key, process.env[key] ?? '']],
  )
  const clock = lab.kind === 'uml' ? tellGuestClock() : null
  const {
    code,
    output,
    console: said,
  } = await runInLab(lab.kind, {
    command: [process.execPath, 'build/test/bench/main.js', '--in-lab', ...words, name],
    directory: process.cwd(),
    environment: { ...Object.fromEntries(handed), ...(clock && { [CLOCK]: clock.folder }) },
    timeout: limit * 60_000,
  }).finally(() => clock?.close())
  for (const line of output.split('\n'))
    if (line.startsWith(ROW)) yield JSON.parse(line.slice(ROW.length)) as Row
    else if (line !== '') console.error(line)
  if (code !== 0) throw new Error(`exit code ${code}; the console of the lab:\n${said}`)
}

async function runInside(): Promise<void> {
  prepareLab()
  for (const each of chosen())
    for await (const row of here(each, options.quick)) console.log(`${ROW}${JSON.stringify(row)}`)
  process.exit(0)
}
