/**
 * npm run fuzz [-- --cases N] [--seed N] [--only NAME] [--one SEED]
 *
 * Spoils the answers of every kind that reads any. Seeds that found a fault once are in seeds.json and come first.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.js'
import { FUZZED, prepared } from './kinds.js'

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    only: { type: 'string' },
    one: { type: 'string' },
  },
})
const known = JSON.parse(readFileSync(new URL('seeds.json', import.meta.url), 'utf8')) as Record<
  string,
  number[]
>
const { only, one } = values
const chosen = FUZZED.filter(({ name, kind }) => only === undefined || name === only || kind === only)
if (chosen.length === 0) throw new Error(`no kind ${only}: ${FUZZED.map(({ name }) => name).join(', ')}`)

let failed = false
for (const fuzzed of chosen) {
  const start = performance.now()
  const { cases, reasons, faults } = await fuzz(await prepared(fuzzed), seedsOf(fuzzed.name))
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${fuzzed.name}: ${cases} cases from seed ${values.seed}, ${seconds} s, ${shown(reasons)}`)
  for (const fault of faults) console.log(`  FAULT ${fault}`)
  failed ||= faults.length > 0
}
process.exit(failed ? 1 : 0)

function* seedsOf(name: string): Iterable<number> {
  if (one !== undefined) return yield Number(one)
  yield* known[name] ?? []
  const first = Number(values.seed)
  for (let i = 0; i < Number(values.cases); i++) yield first + i
}

function shown(reasons: Readonly<Record<string, number>>): string {
  const all = Object.entries(reasons).sort(([, a], [, b]) => b - a)
  return all.map(([reason, count]) => `${reason} ${count}`).join(', ')
}
