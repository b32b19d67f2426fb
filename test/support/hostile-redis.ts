/** A server in a process of its own that answers as no Redis should. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Hostility } from './hostile-redis-server.js'

export class HostileRedis {
  readonly #child: ChildProcess
  port = 0

  constructor() {
    const file = fileURLToPath(new URL('./hostile-redis-server.ts', import.meta.url))
    this.#child = fork(file, { execArgv: ['--import', 'tsx'] })
  }

  async start(): Promise<this> {
    const [port] = await once(this.#child, 'message')
    this.port = Number(port)
    return this
  }

  /** Answers so from now on. */
  async be(hostility: Hostility): Promise<void> {
    const done = once(this.#child, 'message')
    this.#child.send(hostility)
    await done
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Milliseconds that the main thread of this process has used the processor. */
export function mainThreadTime(read: (path: string) => string): number {
  const stat = read(`/proc/self/task/${process.pid}/stat`)
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) * 10
}
