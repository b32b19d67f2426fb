/** Trees of files: copied by a rule, and made the same on every machine. */
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** Copies the files of which `wanted` is true, by their paths below `from`. Folders that stay empty are left out. */
export function copyTree(from, to, wanted = () => true) {
  for (const path of filesIn(from)) if (wanted(path)) copyInto(join(from, path), join(to, path))
}

export function copyInto(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
  chmodSync(to, 0o644)
}

export function write(path, content, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  chmodSync(path, mode)
}

/** The paths of all files below a folder, sorted. */
export function filesIn(folder, below = '') {
  return readdirSync(join(folder, below))
    .sort()
    .flatMap(name => {
      const path = join(below, name)
      return lstatSync(join(folder, path)).isDirectory() ? filesIn(folder, path) : [path]
    })
}

/** Gives folders one mode, whatever the umask is, and everything one time, in seconds. Returns the size in KiB. */
export function settle(path, time) {
  const stat = lstatSync(path)
  const inside = stat.isDirectory() ? readdirSync(path).map(name => settle(join(path, name), time)) : []
  if (stat.isDirectory()) chmodSync(path, 0o755)
  lutimesSync(path, time, time)
  // As dpkg-gencontrol counts: files in whole KiB, and 1 for all else.
  const own = stat.isFile() ? Math.ceil(statSync(path).size / 1024) : 1
  return inside.reduce((sum, size) => sum + size, own)
}
