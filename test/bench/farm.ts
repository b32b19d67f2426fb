/** The web servers that are checked: a process of their own, written in C, see farm.c. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { farm } from './compile-tools.js'

export interface Farm {
  readonly ports: readonly number[]
  /** Server `i` refuses connections from now on. Milliseconds of the clock of `performance.now`, see `now`. */
  refuse(i: number): Promise<number>
  /** The same, and its idle connections are closed, as when its process ends. */
  die(i: number): Promise<number>
  /** Server `i` answers again. */
  accept(i: number): Promise<number>
  /** Requests answered so far. */
  count(): Promise<number>
  /** Times between two requests to the same server, milliseconds, of all since this was asked last. */
  gaps(): Promise<{ readonly median: number; readonly p99: number; readonly max: number }>
  close(): void
  /** SIGKILL: the kernel closes the sockets of all servers. */
  kill(): void
}

/** The monotonic clock that all processes share, milliseconds. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** On ::1 and free ports, or on `prefix`::1, ::2 and so on, all on one port. */
export async function openFarm(
  count: number,
  { prefix, port }: { prefix?: string; port?: number } = {},
): Promise<Farm> {
  const where = prefix === undefined ? [] : [prefix, String(port)]
  const child = spawn(farm, [String(count), ...where], { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: ((line: string) => void)[] = []
  createInterface({ input: child.stdout }).on('line', line => waiting.shift()?.(line))
  const answer = () => new Promise<string>(resolve => waiting.push(resolve))
  const ask = (command: string) => {
    child.stdin.write(`${command}\n`)
    return answer()
  }
  const failed = new Promise<never>((_, reject) => {
    child.on('error', reject)
    child.on('exit', code => reject(new Error(`the farm of servers ended with ${code}`)))
  })
  failed.catch(() => {})
  const [, ...ports] = (await Promise.race([answer(), failed])).split(' ').map(Number)
  const moment = async (command: string) => Number(BigInt(await ask(command))) / 1e6
  return {
    ports,
    refuse: i => moment(`refuse ${i}`),
    die: i => moment(`die ${i}`),
    accept: i => moment(`accept ${i}`),
    count: async () => Number(await ask('count')),
    gaps: async () => {
      const [median = 0, p99 = 0, max = 0] = (await ask('gaps')).split(' ').map(Number)
      return { median, p99, max }
    },
    close: () => child.stdin.end(),
    kill: () => void child.kill('SIGKILL'),
  }
}
