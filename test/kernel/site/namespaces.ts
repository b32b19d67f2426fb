/**
 * One process with sockets in several network namespaces: a socket stays in the namespace in which it was opened, even
 * if the process switches to another one. So clients, real servers and the table watcher run in the test process.
 */
import { execFileSync } from 'node:child_process'
import { openSync } from 'node:fs'
import koffi from 'koffi'

export const DIRECTOR = 'director'

const CLONE_NEWNET = 0x40000000
const setns = koffi.load(null).func('int setns(int fd, int type)') as unknown as (
  fd: number,
  type: number,
) => number

const home = openSync('/proc/thread-self/ns/net', 'r')
const opened = new Map<string, number>()

/** Creates a namespace. */
export function addNamespace(name: string): void {
  execFileSync('ip', ['netns', 'add', name])
  opened.set(name, openSync(`/run/netns/${name}`, 'r'))
}

/**
 * Executes `work` in a namespace. It must be synchronous, because other code that runs meanwhile would run there too. A
 * `listen` without a host and a `spawn` are complete when they return.
 */
export function within<T>(name: string, work: () => T): T {
  const fd = opened.get(name)
  if (fd === undefined) throw new Error(`there is no namespace ${name}`)
  enter(fd)
  try {
    return work()
  } finally {
    enter(home)
  }
}

/** Like `within`, for asynchronous work. Nothing else may run in this process meanwhile. */
export async function throughout<T>(name: string, work: () => Promise<T>): Promise<T> {
  const fd = opened.get(name)
  if (fd === undefined) throw new Error(`there is no namespace ${name}`)
  enter(fd)
  try {
    return await work()
  } finally {
    enter(home)
  }
}

function enter(fd: number): void {
  if (setns(fd, CLONE_NEWNET) < 0) throw new Error(`setns: errno ${koffi.errno()}`)
}
