/** Files of the site's own, as its operators would install them, in folders that are the machine's. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'

const COMMANDS = '/usr/local/bin'

const laid = new Set<string>()

/** Puts a script into /usr/local/bin. Returns its path. */
export function installCommand(name: string, script: string): string {
  const path = `${own(COMMANDS)}/${name}`
  writeFileSync(path, script, { mode: 0o755 })
  return path
}

/** Puts a link into a folder, in place of what was there. */
export function installLink(folder: string, name: string, target: string): void {
  rmSync(`${own(folder)}/${name}`, { force: true })
  symlinkSync(target, `${folder}/${name}`)
}

/** The folder, with a file system of the lab's own laid over it that links to what was there: node may be among it. */
export function own(folder: string): string {
  if (laid.has(folder)) return folder
  const below = whatWas(folder)
  mkdirSync(below)
  execFileSync('mount', ['--bind', folder, below])
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'lab', folder])
  for (const name of readdirSync(below)) symlinkSync(`${below}/${name}`, `${folder}/${name}`)
  laid.add(folder)
  return folder
}

/** Where the folder's files are to be found as they were. */
export function whatWas(folder: string): string {
  return `/run/${folder.slice(1).replaceAll('/', '-')}`
}
