/** Real server programs for tests. Each runs without root in a separate folder, and is ended after the test. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mark } from '../../../src/system/process-marks.js'
import { onCleanup } from '../after-each.js'
import { refusedPort } from '../servers.js'

const FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin']

/** Returns the path of a program. If it is missing, the test is skipped with a message; in CI it fails. */
export function programOr(skip: () => void, name: string, debianPackage: string): string {
  const path = FOLDERS.map(folder => join(folder, name)).find(isExecutable)
  if (path !== undefined) return path
  assert.ok(!process.env.CI, `CI needs ${name}: install the package ${debianPackage}`)
  console.log(`      left out: there is no ${name} here (package ${debianPackage})`)
  skip()
  return ''
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Creates a folder with these files. Returns its path. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-program-'))
  onCleanup(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** Returns a free port of ::1 for a program. */
export function freePort(): Promise<number> {
  return refusedPort()
}

/**
 * Starts a program and waits until it accepts connections on these ports of ::1. Use SIGTERM for a program with
 * children, so that it ends them. The rest of its process group is killed afterwards.
 */
export async function start(
  file: string,
  argv: readonly string[],
  ports: readonly number[],
  stop: 'SIGKILL' | 'SIGTERM' = 'SIGKILL',
): Promise<void> {
  const child = spawn(file, argv, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  // Without the mark, lvsd takes it for a process that a command of this process has left behind.
  if (child.pid !== undefined) mark(child.pid, 'hook')
  let said = ''
  for (const output of [child.stdout, child.stderr])
    output.on('data', chunk => {
      said = (said + chunk).slice(-2000)
    })
  const exited = once(child, 'exit')
  onCleanup(() => {
    child.kill(stop)
    const last = setTimeout(() => child.kill('SIGKILL'), 2000)
    return exited.finally(() => {
      clearTimeout(last)
      killGroup(child.pid)
      // An escaped child would keep the streams open, and thereby this process alive.
      child.stdout.destroy()
      child.stderr.destroy()
    })
  })
  for (const port of ports)
    while (!(await listens(port))) {
      assert.equal(child.exitCode, null, `${file} ended: ${said}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  assert.equal(child.exitCode, null, `${file} ended: ${said}`)
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // The process group has ended.
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '::1', port })
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** Parts of nginx that have a folder for temporary files. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/** Starts nginx in the foreground, in one process, with what its block `http` has. All its files are in `folder`. */
export async function startNginx(
  program: string,
  {
    folder,
    ports,
    http,
  }: { readonly folder: string; readonly ports: readonly number[]; readonly http: string },
): Promise<void> {
  const configuration = folderOf({
    'nginx.conf': `
      daemon off; master_process off; pid ${folder}/pid; error_log stderr;
      events {}
      http {
        access_log off;
        ${TEMPORARY.map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
        ${http}
      }`,
  })
  await start(program, ['-p', folder, '-c', `${configuration}/nginx.conf`, '-e', 'stderr'], ports)
}
