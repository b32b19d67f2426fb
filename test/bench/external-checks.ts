/** What an external command costs at 20 and 100 a second, beside keepalived's MISC_CHECK. */
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark, Row, Run } from './benchmark.js'
import { costBeside } from './beside-keepalived.js'
import { tally } from './compile-tools.js'
import { siteOf } from './sites.js'

export const benchmark: Benchmark = {
  name: 'external',
  about:
    'runs of one small command, once a second for each server, beside keepalived; the CPU of the command counts',
  place: 'here',
  limit: 10,
  measure,
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const argument = join(folder, 'tally')
  writeFileSync(argument, '')
  const check = { kind: 'external', command: tally, argument } as const
  for (const rate of [20, 100]) {
    // Nothing is asked at these ports.
    const ports = Array.from({ length: rate }, (_, i) => i + 1)
    const site = { ...siteOf(rate, { ports }), check }
    const checked = { site, count: () => statSync(argument).size }
    yield* costBeside(checked, folder, { name: `${rate}/s`, what: 'a run', quick })
  }
}
