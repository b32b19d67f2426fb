/**
 * The children that this process has and has not started: the kernel gives a subreaper every descendant whose parent has
 * ended. A subreaper rather than a cgroup, since it works under every init and needs neither `Delegate=` nor a writable
 * /sys/fs/cgroup in the unit.
 */
import { readdirSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { becomeSubreaper, closeOnExec } from './libc.js'
import { childrenOfThread } from './process-files.js'

/** Children that this process had before it was lvsd. */
const inherited = new Set<number>()
let isPrepared = false
let isStarted: (pid: number) => boolean = () => false

/**
 * Before the first command: nothing but the standard descriptors reaches children, and what gets lost comes here.
 * `started`: whether a process is one that this thread has started and will ask for. `onEnd`: a child has ended,
 * started or not. The main thread does it for all.
 */
export function prepareForChildren(started: (pid: number) => boolean, onEnd: () => void): void {
  if (isPrepared || !isMainThread) return
  isPrepared = true
  isStarted = started
  try {
    keepDescriptors()
    for (const pid of childrenOfThread(process.pid, process.pid)) inherited.add(pid)
    becomeSubreaper()
    process.on('SIGCHLD', onEnd)
  } catch {
    // Not Linux, or without koffi: what leaves its group is left, as it always was there.
  }
}

/** Those that lvsd was started with; Node's own are marked already. */
function keepDescriptors(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    try {
      if (fd > 2) closeOnExec(fd)
    } catch {
      // The one by which the folder was read.
    }
  }
}

/** False in all threads but the main one, and before the first command. */
export function takesOrphans(): boolean {
  return isPrepared
}

/** Children that nobody here has started. The kernel gives orphans to the main thread, whose id is the pid. */
export function strangers(): readonly number[] {
  const found = childrenOfThread(process.pid, process.pid).filter(pid => !isStarted(pid))
  const are = new Set(found)
  for (const pid of inherited) if (!are.has(pid)) inherited.delete(pid)
  return found
}

/** Of a stranger: whether this process had it before it was lvsd. */
export function isInherited(pid: number): boolean {
  return inherited.has(pid)
}
