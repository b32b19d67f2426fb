/** What a check over TLS costs at 100 and 1,000 a second, beside keepalived's SSL_GET. */
import type { Benchmark, Row, Run } from './benchmark.js'
import { costBeside } from './beside-keepalived.js'
import { siteOf } from './sites.js'
import { openTlsFarm } from './tls-farm.js'

export const benchmark: Benchmark = {
  name: 'https',
  about:
    'HTTPS checks of an nginx on ::1, each server once a second, beside keepalived; the table is in memory',
  place: 'here',
  limit: 10,
  measure,
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  for (const rate of [100, 1000]) {
    const farm = await openTlsFarm(rate, folder)
    try {
      const site = { ...siteOf(rate, { ports: farm.ports }), check: { kind: 'https' } as const }
      const checked = { site, count: farm.count, serverPid: farm.pid }
      yield* costBeside(checked, folder, { name: `${rate}/s`, what: 'a check', quick })
    } finally {
      await farm.close()
    }
  }
}
