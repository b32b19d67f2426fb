/**
 * What is refused to users' code in a thread, because the whole process would bear it: threads of its own, whose memory and
 * processor time nobody watches; V8's flags; and lvsd's own output for the processes that it starts.
 */
import processes, { ChildProcess } from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import v8 from 'node:v8'
import threads from 'node:worker_threads'

/** Called when lvsd's own part of the thread stands. */
export function refuseWhatAllBear(): void {
  Object.assign(threads, { Worker: RefusedWorker })
  Object.assign(v8, { setFlagsFromString: refuseFlags })
  keepOutput()
  syncBuiltinESMExports()
}

class RefusedWorker {
  constructor() {
    throw new Error('a check must not start threads')
  }
}

function refuseFlags(): never {
  throw new Error("a check must not change V8's flags")
}

type Call = (...args: unknown[]) => unknown

/** A process that would write where lvsd writes its log writes nowhere. */
function keepOutput(): void {
  const spawner = ChildProcess.prototype as unknown as Record<'spawn', Call>
  const spawn = spawner.spawn
  spawner.spawn = function (options, ...rest) {
    return spawn.call(this, withoutOurs(options), ...rest)
  }
  const builtin = processes as unknown as Record<string, Call>
  for (const name of ['spawnSync', 'execFileSync', 'execSync']) {
    const start = builtin[name] as Call
    builtin[name] = (...args) => start(...args.map(withoutOurs))
  }
}

/** The options of a process; what is none stays as it is. */
function withoutOurs(options: unknown): unknown {
  const { stdio } = (options ?? {}) as { stdio?: unknown }
  if (typeof options !== 'object' || Array.isArray(options) || stdio === undefined) return options
  const each = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio]
  return { ...options, stdio: each.map(one => (isOurs(one) ? 'ignore' : one)) }
}

function isOurs(stream: unknown): boolean {
  return ['inherit', 0, 1, 2, process.stdin, process.stdout, process.stderr].includes(stream as string)
}
