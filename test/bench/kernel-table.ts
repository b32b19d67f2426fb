/** The kernel's table, read from /proc/net/ip_vs: by another way than any of the daemons writes it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { parseAddress } from '../../src/core/address.js'
import { sleep } from './benchmark.js'
import { processorMs } from './cpu-clock.js'
import { now } from './farm.js'

const FILE = '/proc/net/ip_vs'

export interface Destination {
  /** `[fd00:1::1]:80` */
  readonly key: string
  readonly weight: number
}

export function destinations(): Destination[] {
  return parse(readFileSync(FILE, 'latin1'))
}

/** Reads no further than to the first destination: takes the same short time however large the table is. */
export function firstDestination(): Destination | null {
  const file = openSync(FILE, 'r')
  const page = Buffer.alloc(4096)
  try {
    // The first reading brings the header alone.
    for (let text = ''; ; ) {
      const length = readSync(file, page)
      text += page.toString('latin1', 0, length)
      const [first] = parse(text)
      if (first || length === 0) return first ?? null
    }
  } finally {
    closeSync(file)
  }
}

function parse(text: string): Destination[] {
  return [...text.matchAll(/^ {2}-> \[([0-9a-f:]+)\]:([0-9A-F]{4}) +\S+ +(\d+) /gm)].map(
    ([, address = '', port = '', weight]) => ({
      key: `[${parseAddress(address)?.text}]:${Number.parseInt(port, 16)}`,
      weight: Number(weight),
    }),
  )
}

/** Lines of real servers in the table. */
export function destinationCount(): number {
  return readFileSync(FILE, 'latin1').split('\n  -> [').length - 1
}

/**
 * Real servers of the table, and connections that it counts as active, as ipvsadm lists them. /proc/net/ip_vs leaves services out where
 * several namespaces have some: from one page to the next the kernel counts those of all (ip_vs_info_seq_next in ip_vs_ctl.c).
 */
export function listed(): { readonly servers: number; readonly active: number } {
  const text = execFileSync('ipvsadm', ['-Ln'], { encoding: 'utf8' })
  const counts = [...text.matchAll(/^ {2}-> \[.* (\d+) +\d+ *$/gm)].map(([, active]) => Number(active))
  return { servers: counts.length, active: counts.reduce((sum, each) => sum + each, 0) }
}

/**
 * Looks again and again until `isTrue`, and says when it was so, by the clock of `now`. Between two looks it rests four
 * times as long as one took of the processor, so that it takes no more than a fifth of one. What a look has waited for others who
 * run meanwhile does not count: with one processor, it would make the answer later by four times as much. Nor does a guest's clock of
 * the processor count for more than the look has lasted: it goes in ticks of ten milliseconds, each of which would be a rest of forty.
 * Throws after `limit` milliseconds.
 */
export async function until(what: string, isTrue: () => boolean, limit: number): Promise<number> {
  const end = now() + limit
  for (;;) {
    const [began, cpu] = [now(), processorMs(process.pid) ?? 0]
    if (isTrue()) return began
    if (began > end) throw new Error(`${what}: not within ${limit / 1000} s`)
    const took = Math.min(now() - began, (processorMs(process.pid) ?? 0) - cpu)
    await sleep(Math.max(2, 4 * took))
  }
}

/** Rests until the k-th of `times` equal parts of the interval, so that few samples cover the interval evenly. */
export async function phase(k: number, times: number, interval: number): Promise<void> {
  const wanted = (((7 * k) % times) + 0.5) * (interval / times)
  await sleep((wanted - (now() % interval) + interval) % interval)
}

export function flush(): void {
  run('ipvsadm', '-C')
}

/** Throws with what the program printed where it fails. */
export function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}
