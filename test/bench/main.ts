/**
 * Measures lvsd beside its peers: `npm run bench [-- NAME …] [--quick] [--json]`. What needs the kernel's table runs in
 * the lab, in which this same program is started again. Nothing here passes or fails: a figure is for people.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle, compile } from '../support/compile.js'
import { findLab, runInLab } from '../support/lab.js'
import { benchmark as apply } from './apply.js'
import type { Benchmark, Row } from './benchmark.js'
import { benchmark as checks } from './checks.js'
import { benchmark as commands } from './commands.js'
import { compileTools } from './compile-tools.js'
import { benchmark as detect } from './detect.js'
import { benchmark as external } from './external-checks.js'
import { benchmark as https } from './https-checks.js'
import { prepareLab } from './lab-network.js'
import { benchmark as listeners } from './listeners.js'
import { benchmark as memory } from './memory.js'
import { benchmark as metrics } from './metrics.js'
import { benchmark as page } from './page.js'
import { renderJson, renderTable } from './print.js'
import { benchmark as redis } from './redis.js'
import { benchmark as reload } from './reload.js'
import { benchmark as reloadInMemory } from './reload-in-memory.js'
import { benchmark as sentinels } from './sentinels.js'
import { benchmark as start } from './start.js'
import { benchmark as startInMemory } from './start-in-memory.js'

const all: readonly Benchmark[] = [
  apply,
  checks,
  https,
  external,
  commands,
  detect,
  redis,
  reload,
  sentinels,
  reloadInMemory,
  start,
  startInMemory,
  memory,
  metrics,
  listeners,
  page,
]

/** With tsx, what runs in this process would be measured with its wrappers of functions: up to twice the time. */
const isCompiled = import.meta.url.endsWith('.js')

/** Before each row that comes out of a lab, where daemons may print too. */
const ROW = 'row: '

// A lab is a process group of its own, which ends with this process: by an exit, not by a signal.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

const { values: options, positionals: names } = parseArgs({
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
else if (isCompiled) await runAll()
else runCompiled()

function help(): void {
  console.log('npm run bench [-- NAME …] [--quick] [--json]\n')
  for (const { name, about, place } of all)
    console.log(`  ${name.padEnd(16)} ${about}${place === 'lab' ? ' (in the lab)' : ''}`)
}

function chosen(): readonly Benchmark[] {
  for (const name of names)
    if (!all.some(each => each.name === name)) throw new Error(`there is no benchmark "${name}"; see --help`)
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
  if (!options.json) {
    console.log(
      `Node ${process.version}, Linux ${release()}, ${cpus().length} processors of ${cpus()[0]?.model}`,
    )
    console.log('"lvsd is 0.25 x": a quarter of what the other takes. Figures are medians.')
  }
  for (const each of chosen()) {
    if (!options.json) console.log(`\n${each.name}: ${each.about}`)
    const rows: Row[] = []
    try {
      for await (const row of each.place === 'lab' ? inLab(each) : here(each)) {
        rows.push(row)
        if (options.json) console.log(renderJson(each.name, row))
      }
    } catch (error) {
      console.error(`${each.name} did not come to its end:`, error)
      process.exitCode = 1
    }
    if (!options.json)
      console.log(`${renderTable(rows)}\n(load of this machine: ${loadavg()[0]?.toFixed(1)})`)
  }
}

async function* here(benchmark: Benchmark): AsyncIterable<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-bench-'))
  try {
    yield* benchmark.measure({ quick: options.quick, folder })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function* inLab({ name, limit }: Benchmark): AsyncIterable<Row> {
  const lab = await findLab()
  if (lab.kind === 'none') {
    console.error(`${name} is left out: ${lab.reason}`)
    return
  }
  const quick = options.quick ? ['--quick'] : []
  const {
    code,
    output,
    console: said,
  } = await runInLab(lab.kind, {
    command: [process.execPath, 'build/test/bench/main.js', '--in-lab', ...quick, name],
    directory: process.cwd(),
    timeout: limit * 60_000,
  })
  for (const line of output.split('\n'))
    if (line.startsWith(ROW)) yield JSON.parse(line.slice(ROW.length)) as Row
    else if (line !== '') console.error(line)
  if (code !== 0) throw new Error(`exit code ${code}; the console of the lab:\n${said}`)
}

async function runInside(): Promise<void> {
  prepareLab()
  for (const each of chosen()) for await (const row of here(each)) console.log(`${ROW}${JSON.stringify(row)}`)
  process.exit(0)
}
