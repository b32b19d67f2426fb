/** Commands of the site's own, as its operators would install them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'

const FOLDER = '/usr/local/bin'
const BEFORE = '/run/usr-local-bin'

let isOurs = false

/** Puts a script into /usr/local/bin: a file system of the lab's own, laid over the machine's. Returns its path. */
export function installCommand(name: string, script: string): string {
  if (!isOurs) layOver()
  isOurs = true
  const path = `${FOLDER}/${name}`
  writeFileSync(path, script, { mode: 0o755 })
  return path
}

/** What was there stays in reach: node itself may be among it. */
function layOver(): void {
  mkdirSync(BEFORE)
  execFileSync('mount', ['--bind', FOLDER, BEFORE])
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'lab', FOLDER])
  for (const name of readdirSync(BEFORE)) symlinkSync(`${BEFORE}/${name}`, `${FOLDER}/${name}`)
}
