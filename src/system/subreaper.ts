/**
 * Makes lvsd a subreaper: the kernel makes it the parent of every descendant whose own parent has ended. A cgroup would
 * need `Delegate=` or a writable /sys/fs/cgroup in the unit; a subreaper works under every init.
 */
import { readdirSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { becomeSubreaper, closeOnExec } from './libc.js'
import { childrenOfThread } from './process-files.js'

/** Children that the process had before it became lvsd. */
const inherited = new Set<number>()
let isPrepared = false
let isStarted: (pid: number) => boolean = () => false

/**
 * Must be called by the main thread before the first command; other threads and further calls have no effect. Only the
 * standard descriptors are inherited by children, and orphans become children of lvsd. `started` returns true for a
 * process that this thread has started and will reap. `onEnd` is called when any child has ended.
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
    // Not Linux, or koffi does not load: orphans are then not ended.
  }
}

/** Prevents children from inheriting the descriptors that lvsd inherited. Node's own are not inheritable. */
function keepDescriptors(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    try {
      if (fd > 2) closeOnExec(fd)
    } catch {
      // The descriptor that was used to read the folder.
    }
  }
}

/** False in all threads except the main one, and before the first command. */
export function takesOrphans(): boolean {
  return isPrepared
}

/** Returns children that this process has not started: orphans. The kernel makes them children of the main thread. */
export function strangers(): readonly number[] {
  const found = childrenOfThread(process.pid, process.pid).filter(pid => !isStarted(pid))
  const are = new Set(found)
  for (const pid of inherited) if (!are.has(pid)) inherited.delete(pid)
  return found
}

/** True if an orphan was a child of this process before it became lvsd. */
export function isInherited(pid: number): boolean {
  return inherited.has(pid)
}
