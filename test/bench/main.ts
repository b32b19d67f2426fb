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
import { ALL } from './all.js'
import type { Benchmark, Row } from './benchmark.js'
import { VARIABLES } from './chosen.js'
import { compileTools } from './compile-tools.js'
import { CLOCK, tellGuestClock } from './guest-clock.js'
import { prepareLab } from './lab-network.js'
import { AIMS, measuring, planOf, type Reached, reached } from './limit.js'
import { type Load, sentenceOf, watchLoad } from './load.js'
import { renderAimJson, renderAims, renderJson, renderLoadJson, renderTable } from './print.js'

/** Not one of all: it consists of others. */
const LIMIT = 'limit'

// Node.js reads and parses these certificates at each start, for 40 ms. A director of a service manager does not have the variable.
delete process.env.NODE_EXTRA_CA_CERTS

/** With tsx, what runs in this process would be measured with its wrappers of functions: up to twice the time. */
const isCompiled = import.meta.url.endsWith('.js')

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
  for (const { name, about, place } of ALL)
    console.log(`  ${name.padEnd(16)} ${about}${place === 'lab' ? ' (in the lab)' : ''}`)
  console.log(
    `  ${LIMIT.padEnd(16)} what lvsd is to reach, in three runs: ${measuring(AIMS).join(', ')} (an hour; with --quick in one run, without the whole warm-up)`,
  )
}

function chosen(names: readonly string[] = given): readonly Benchmark[] {
  for (const name of names)
    if (name !== LIMIT && !ALL.some(each => each.name === name))
      throw new Error(`there is no benchmark "${name}"; see --help`)
  return ALL.filter(({ name }) => names.length === 0 || names.includes(name))
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
  for (const [i, each] of chosen().entries()) {
    if (!options.json) console.log(`\n${each.name}: ${each.about}`)
    const loadOf = watchLoad(i === 0)
    const rows = await rowsOf(each, options.quick)
    if (options.json) console.log(renderLoadJson(each.name, null, loadOf()))
    else console.log(`${renderTable(rows)}\n(${sentenceOf(loadOf())})`)
  }
}

/** All runs of each benchmark that measures aims, one after the other; then what they say of its aims. */
async function runLimit(): Promise<void> {
  if (!options.json) introduce()
  const wanted = given.filter(name => name !== LIMIT)
  const found: Reached[] = []
  const loads = new Map<string, readonly Load[]>()
  for (const name of measuring(AIMS).filter(name => wanted.length === 0 || wanted.includes(name))) {
    const [each] = chosen([name])
    if (!each) continue
    const { rows, loads: its } = await runsOf(each, loads.size === 0)
    loads.set(name, its)
    const aims = AIMS.filter(({ benchmark }) => benchmark === name).map(aim => reached(aim, rows))
    found.push(...aims)
    if (options.json) for (const aim of aims) console.log(renderAimJson(aim, its))
    else console.log(renderAims(aims))
  }
  if (!options.json) summarize(found, loads)
}

interface Runs {
  readonly rows: readonly Row[]
  readonly loads: readonly Load[]
}

/** The runs of a benchmark as its plan wants them. What the environment chooses goes before the plan. */
async function runsOf(benchmark: Benchmark, isFirst: boolean): Promise<Runs> {
  const { name, about } = benchmark
  const plan = planOf(name, options.quick)
  const times = Number(process.env.RUNS ?? plan.runs)
  const environment = process.env
  if (!options.json) console.log(`\n${name}, ${counted(times, 'run')}: ${about}`)
  const rows: Row[] = []
  const loads: Load[] = []
  process.env = { ...plan.env, ...environment }
  for (let run = 1; run <= times; run++) {
    const loadOf = watchLoad(isFirst && run === 1)
    rows.push(...(await rowsOf(benchmark, options.quick)))
    const load = loadOf()
    loads.push(load)
    console.log(options.json ? renderLoadJson(name, run, load) : `(${sentenceOf(load)})`)
  }
  process.env = environment
  return { rows, loads }
}

function summarize(found: readonly Reached[], loads: ReadonlyMap<string, readonly Load[]>): void {
  const isBusy = (name: string) => loads.get(name)?.some(load => load.isBusy) ?? false
  const met = found.filter(({ isMet }) => isMet).length
  console.log(`\n${renderAims(found, isBusy)}`)
  console.log(`${met} of ${found.length} are met; minimum / median / maximum of the runs`)
  for (const [name, its] of loads) for (const load of its) console.log(`${name}: ${sentenceOf(load)}`)
  if (options.quick)
    console.log(
      'One run, without the whole warm-up: to try the benchmarks. It says nothing of aims on checks.',
    )
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
  const handed = VARIABLES.flatMap(key =>
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
