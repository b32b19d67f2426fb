/** What may be in the place of a file of the state folder. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { onCleanup } from './after-each.js'

export function pipe(path: string): void {
  execFileSync('mkfifo', [path])
}

/** Each with a function that puts it at a path. */
export const THINGS: readonly (readonly [thing: string, put: (path: string) => void])[] = [
  ['a pipe', pipe],
  [
    'a folder',
    path => {
      mkdirSync(path)
      writeFileSync(join(path, 'file'), '')
    },
  ],
  ['a device', path => symlinkSync('/dev/zero', path)],
  [
    'a socket',
    path => {
      const server = createServer().listen(path)
      onCleanup(() => new Promise(resolve => server.close(resolve)))
    },
  ],
  [
    'a file of 600 MB',
    path => {
      writeFileSync(path, '')
      truncateSync(path, 600e6)
    },
  ],
]
