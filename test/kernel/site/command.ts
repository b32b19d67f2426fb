/** Installs files of the site, as an operator would, in folders that belong to the machine. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/system/version.js'
import { BUNDLE } from '../../support/compile.js'

const COMMANDS = '/usr/local/bin'

const laid = new Set<string>()

/** Installs a script in /usr/local/bin. Returns its path. */
export function installCommand(name: string, script: string): string {
  const path = `${own(COMMANDS)}/${name}`
  writeFileSync(path, script, { mode: 0o755 })
  return path
}

/** Creates a link in a folder. Replaces an existing file. */
export function installLink(folder: string, name: string, target: string): void {
  rmSync(`${own(folder)}/${name}`, { force: true })
  symlinkSync(target, `${folder}/${name}`)
}

/**
 * Installs `/usr/sbin/ldirectord` as deploy/setup.mjs does. What it runs is the bundle of the tests, not dist/, which may be
 * missing or older than the sources. `clone`: path of the repository for who runs it.
 */
export function installLdirectord(clone = packageRoot): void {
  const home = `${own('/opt')}/installed`
  mkdirSync(join(home, 'deploy'), { recursive: true })
  copyFileSync(join(packageRoot, 'package.json'), join(home, 'package.json'))
  copyFileSync(join(packageRoot, 'deploy/ldirectord'), join(home, 'deploy/ldirectord'))
  symlinkSync(join(clone, BUNDLE), join(home, 'dist'))
  installLink('/usr/sbin', 'ldirectord', join(home, 'deploy/ldirectord'))
}

/** Mounts a tmpfs over the folder, with links to its previous content, which may include node. Returns the folder. */
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

/** Returns the path at which the previous content of the folder is available. */
export function whatWas(folder: string): string {
  return `/run/${folder.slice(1).replaceAll('/', '-')}`
}
