/**
 * Runs the kernel tests, each file in a separate lab, two at once: `npm run test:kernel [-- NAME …]`, where NAME is a
 * part of a file name. The files are ordinary mocha tests. They run as root in a network namespace that has only a
 * loopback interface, with the repository as working directory.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle, compile } from '../support/compile.js'
import { debianPackages } from '../support/debian-package.js'
import { findLab, LABS_AT_ONCE, type LabOutcome, runInLab } from '../support/lab.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const limit = 1000 * Number(process.env.LAB_TIMEOUT ?? 1200)
/**
 * Variables for the tests. SEED: seed of random moments. DEATHS, LOSSES: repetitions of crash, lost-answer.
 * CHURN_SECONDS, TURN_SECONDS, LOSSY_SECONDS: duration of churn, turned-link, of lost packets in early-timeout. CLUSTER_FAULTS: all, or a part of the name of a fault of cluster.
 */
const HANDED = [
  'SEED',
  'DEATHS',
  'LOSSES',
  'CHURN_SECONDS',
  'TURN_SECONDS',
  'LOSSY_SECONDS',
  'CLUSTER_FAULTS',
]
const handed = HANDED.flatMap(name => {
  const value = process.env[name]
  return value === undefined ? [] : [[name, value] as const]
})

/** Documents that tests write, by their names in LAB_SCRATCH, with their places. */
const RESULTS = { 'FAULTS.md': join(root, 'deploy/cluster/FAULTS.md') }

/** Files that take minutes. They start first, so that no lab works alone at the end. */
const SLOWEST =
  'systemd cluster path-hints service-path-check operator overrides drop-in-command drift faults drop-in resync traffic early-timeout crash address-conflict names steering service-path service-path-code connectivity lost-answer reload package'.split(
    ' ',
  )

/** Files that run only where their names are given: they need packages that are not in packages.txt, and minutes. */
const BY_NAME = ['pacemaker.test.ts']

interface Count {
  readonly passed: number
  readonly failed: number
}

// A lab is a separate process group, which the exit handler of this process kills. A signal would skip that handler.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

const lab = await findLab()
if (lab.kind === 'none') {
  console.log(`kernel tests left out: ${lab.reason}`)
  process.exitCode = process.env.CI === 'true' ? 1 : 0
} else {
  compile(root)
  bundle(root)
  const files = testFiles(process.argv.slice(2))
  // A lab cannot reach a registry, and what it can write is in its memory.
  if (files.includes('package.test.ts')) debianPackages()
  const counts = await runAll(lab.kind, files)
  const sum = (pick: (count: Count) => number) => counts.reduce((total, count) => total + pick(count), 0)
  const failed = sum(count => count.failed)
  console.log(`${sum(count => count.passed)} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

function testFiles(names: readonly string[]): string[] {
  const files = readdirSync(join(root, 'test/kernel')).filter(file => file.endsWith('.test.ts'))
  const isChosen = (file: string) =>
    names.length === 0 ? !BY_NAME.includes(file) : names.some(name => file.includes(name))
  const chosen = files.filter(isChosen)
  if (chosen.length === 0) throw new Error(`no kernel test is named ${names.join(', ')}`)
  return chosen.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
}

function rank(file: string): number {
  const index = SLOWEST.findIndex(name => file === `${name}.test.ts`)
  return index < 0 ? SLOWEST.length : index
}

async function runAll(kind: 'own' | 'uml', files: readonly string[]): Promise<Count[]> {
  const waiting = [...files]
  const counts: Count[] = []
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) counts.push(await runFile(kind, file))
  }
  await Promise.all(Array.from({ length: LABS_AT_ONCE }, worker))
  return counts
}

async function runFile(kind: 'own' | 'uml', file: string): Promise<Count> {
  const compiled = `build/test/kernel/${file.replace(/ts$/, 'js')}`
  const began = Date.now()
  const outcome = await runInLab(kind, {
    command: [
      ...[
        process.execPath,
        '--enable-source-maps',
        'node_modules/mocha/bin/mocha.js',
        '--no-config',
        '--no-package',
      ],
      ...[
        '--require',
        './build/test/support/after-each.js',
        '--reporter',
        './build/test/support/reporter.js',
      ],
      ...['--retries', '1', '--timeout', '600000', '--spec', compiled],
    ],
    directory: root,
    environment: Object.fromEntries(handed),
    timeout: limit,
    results: process.env.CLUSTER_FAULTS === 'all' ? RESULTS : {},
  })
  const count = countOf(outcome)
  const seconds = ((Date.now() - began) / 1000).toFixed(1)
  console.log(
    `\n${file} (${kind === 'uml' ? 'user-mode-linux' : 'own kernel'}, ${seconds} s)${outcome.output}`,
  )
  if (count.failed > 0) console.log(`exit code ${outcome.code}; the console of the lab:\n${outcome.console}`)
  return count
}

/** Parses mocha's summary. A run without a summary counts as one failure. In CI a skipped test is a failure too. */
function countOf({ code, output }: LabOutcome): Count {
  const count = (word: string) => Number(new RegExp(`^ {2}(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0)
  const leftOut = process.env.CI === 'true' ? count('pending') : 0
  return { passed: count('passing'), failed: Math.max(count('failing') + leftOut, code === 0 ? 0 : 1) }
}
