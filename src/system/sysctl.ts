/** Reads and writes the sysctls of the network, in the network namespace of this process. */
import { closeSync, constants, openSync, readFileSync, realpathSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { plainValue, sysctlParts } from '../core/sysctl.js'

const ROOT = '/proc/sys'

/** Throws the error of the file system. */
export interface Sysctls {
  read(name: string): string
  write(name: string, value: string): void
}

/** `root` is another folder in tests. */
export function openSysctls(root = ROOT): Sysctls {
  return {
    read: name => withFile(name, constants.O_RDONLY, root, fd => plainValue(readFileSync(fd, 'utf8'))),
    // One write call, because the kernel treats each write as a complete value.
    write: (name, value) => withFile(name, constants.O_WRONLY, root, fd => void writeSync(fd, `${value}\n`)),
  }
}

/** Returns the value; undefined if the kernel has no such sysctl, null if it cannot be read. */
export function readSysctl(name: string, root = ROOT): string | null | undefined {
  try {
    return openSysctls(root).read(name)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : null
  }
}

/** Opens the file of a sysctl, but nothing that a link leads to. */
function withFile<T>(name: string, access: number, root: string, use: (fd: number) => T): T {
  const parts = sysctlParts(name)
  if (!parts) throw new Error(`"${name}" is not the name of a sysctl in net`)
  const path = join(realpathSync(root), ...parts)
  if (realpathSync(path) !== path) throw new Error(`${path} leads out of ${root}`)
  const fd = openSync(path, access | constants.O_NOFOLLOW)
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}
