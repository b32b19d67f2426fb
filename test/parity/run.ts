/**
 * Compares lvsd with Debian's ldirectord: `npm run parity [-- WORD …]`, where WORD is a part of the name of a batch or a
 * scenario. Both run with the same file and the same servers. After each step their IPVS tables must be equal, except
 * for differences that the scenarios list, each with its reason. Two labs run at once.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundle, compile } from '../support/compile.js'
import { findLab, LABS_AT_ONCE, runInLab } from '../support/lab.js'
import type { Outcome } from './run-batch.js'
import type { Batch } from './scenario.js'
import { batches } from './scenarios/index.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const limit = 1000 * Number(process.env.LAB_TIMEOUT ?? 1200)
/** Maximum number of failed scenarios of one run that are repeated. */
const MOST_AGAIN = 3

// A lab is a separate process group, which the exit handler of this process kills. A signal would skip that handler.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

const lab = await findLab()
const missing = whatIsMissing()
if (missing !== null) {
  console.log(`parity is left out: ${missing}`)
  process.exitCode = process.env.CI === 'true' ? 1 : 0
} else if (lab.kind !== 'none') {
  compile(root)
  bundle(root)
  const picked = chosen(process.argv.slice(2))
  const outcomes = await runAll(lab.kind, picked)
  const names = picked.flatMap(({ scenarios }) => scenarios.map(({ name }) => name))
  const wrong = names.filter(name => !report(name, outcomes))
  // Failed scenarios are repeated, because both daemons have time limits that a busy machine may exceed.
  const isWorthwhile = wrong.length > 0 && wrong.length <= MOST_AGAIN
  const again = isWorthwhile ? await runShare(lab.kind, chosen(wrong)) : []
  if (isWorthwhile) console.log(`\ntried again, one after the other: ${wrong.join(', ')}`)
  const failed = isWorthwhile ? wrong.filter(name => !report(name, again)).length : wrong.length
  console.log(`\n${names.length - failed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

function whatIsMissing(): string | null {
  if (lab.kind === 'none') return lab.reason
  return existsSync('/usr/sbin/ldirectord') ? null : 'it needs the package ldirectord'
}

/** Returns the batches with the scenarios that match the words. */
function chosen(words: readonly string[]): Batch[] {
  const isMeant = (name: string) => words.length === 0 || words.some(word => name.includes(word))
  const picked = batches
    .map(batch => ({
      ...batch,
      scenarios: batch.scenarios.filter(({ name }) => isMeant(batch.name) || isMeant(name)),
    }))
    .filter(({ scenarios }) => scenarios.length > 0)
  if (picked.length === 0) throw new Error(`no scenario is named ${words.join(', ')}`)
  return picked
}

/** Runs each batch in a lab of its own. */
async function runAll(kind: 'own' | 'uml', picked: readonly Batch[]): Promise<Outcome[]> {
  const waiting = [...picked]
  const outcomes: Outcome[] = []
  const worker = async () => {
    for (let batch = waiting.shift(); batch; batch = waiting.shift())
      outcomes.push(...(await runShare(kind, [batch])))
  }
  await Promise.all(Array.from({ length: LABS_AT_ONCE }, worker))
  return outcomes
}

async function runShare(kind: 'own' | 'uml', share: readonly Batch[]): Promise<Outcome[]> {
  const outcome = await runInLab(kind, {
    command: [
      ...[process.execPath, '--enable-source-maps', 'build/test/parity/guest.js'],
      ...share.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)),
    ],
    directory: root,
    environment: { PARITY_PATIENCE: process.env.PARITY_PATIENCE ?? '240' },
    timeout: limit,
  })
  const lines = outcome.output.split('\n').filter(line => line !== '')
  const told = lines.filter(line => !line.startsWith('{'))
  if (told.length > 0) console.log(told.join('\n'))
  if (outcome.code !== 0)
    console.log(`exit code ${outcome.code}; the console of the lab:\n${outcome.console}`)
  return lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Outcome)
}

/** Prints the outcome of a scenario. Returns true if all steps were as expected. */
function report(name: string, outcomes: readonly Outcome[]): boolean {
  const outcome = outcomes.find(outcome => outcome.name === name)
  if (!outcome) {
    console.log(`\nFAILED ${name}: it did not come to its end`)
    return false
  }
  const isRight = outcome.steps.every(({ wrong }) => wrong.length === 0)
  console.log(`\n${isRight ? 'ok' : 'FAILED'} ${name} (its batch: ${outcome.seconds} s)`)
  for (const { what, because, wrong } of outcome.steps) {
    const verdict = because.length > 0 ? `differs because ${because.join('; ')}` : 'equal'
    console.log(`  ${what}: ${wrong.length > 0 ? `not as it should be\n    ${indent(wrong)}` : verdict}`)
  }
  if (!isRight) console.log(indent([`  ${outcome.said}`]))
  return isRight
}

function indent(lines: readonly string[]): string {
  return lines.join('\n').replaceAll('\n', '\n    ')
}
