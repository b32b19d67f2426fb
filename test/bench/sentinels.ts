/** What idle connections to all servers cost: memory, and processor time while nothing happens. */
import { fetchStatus } from '../../src/api/client.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { lvsdInMemory, lvsdSocket } from './daemons.js'
import { type Farm, openFarm } from './farm.js'
import { cpuMs, memoryOf, voluntarySwitches } from './processes.js'
import { siteOf } from './sites.js'

export const benchmark: Benchmark = {
  name: 'sentinels',
  about: 'idle connections to 2,000 servers on ::1, checked every 30 s, with the memory table',
  place: 'here',
  limit: 10,
  measure,
}

const SERVERS = 2000
const BESIDE = 'lvsd without sentinels'

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const farm = await openFarm(SERVERS)
  const seconds = quick ? 10 : 60
  const without = await costOf(farm, folder, seconds, false)
  const ours = await costOf(farm, folder, seconds, true)
  farm.close()
  for (const [figure, unit] of [
    ['RSS', 'MiB'],
    ['CPU', 'ms/s'],
    ['wake-ups', '/s'],
  ] as const)
    yield {
      figure: `${SERVERS} sentinels, ${figure}`,
      unit,
      ours: [ours[figure]],
      beside: BESIDE,
      theirs: [without[figure]],
    }
}

async function costOf(farm: Farm, folder: string, seconds: number, sentinels: boolean) {
  const site = {
    ...siteOf(SERVERS, { services: 20, interval: 30, timeout: 10, ports: farm.ports }),
    sentinels,
  }
  const running = lvsdInMemory.start(site, folder)
  try {
    const watching = async () =>
      (await fetchStatus(lvsdSocket(folder)).catch(() => null))?.hints.sentinels.watching
    const areChecked = async () =>
      (await fetchStatus(lvsdSocket(folder)).catch(() => null))?.totals.up === SERVERS
    while (!(await areChecked()) || (sentinels && (await watching()) !== SERVERS)) await sleep(500)
    await sleep(10_000)
    const before = { cpu: cpuMs(running.pid), switches: voluntarySwitches(running.pid) }
    await sleep(seconds * 1000)
    return {
      RSS: memoryOf(running.pid).rss,
      CPU: (cpuMs(running.pid) - before.cpu) / seconds,
      'wake-ups': (voluntarySwitches(running.pid) - before.switches) / seconds,
    }
  } finally {
    await running.stop()
  }
}
