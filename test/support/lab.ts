/**
 * The lab: a kernel with IPVS for tests. If this machine's kernel has IPVS, the lab consists of new namespaces. Else it
 * is a user-mode-linux guest (Debian package user-mode-linux), which boots in a second as any user, with this machine's
 * file system as its root.
 *
 * Properties of a guest:
 * - Its root is read-only. Writable are its scratch folder, which is on the host, and separate tmpfs on /run, /var/lib,
 *   /var/log and /var/tmp. TMPDIR and HOME are on /run.
 * - It has one processor, and is kept to one of the host's: each system call and each page fault of the guest hands
 *   over between two processes of the host, which costs three times as much where they run on two processors.
 *   `node` starts in 0.25 s there and not in 0.7. Computation runs at full speed. Tests are compiled first.
 * - IPVS is per network namespace: two directors are two namespaces in one guest.
 * - Its kernel (6.1) supports nftables only for the bridge family, so packets are marked and dropped at bridge ports.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { chmod, copyFile, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../src/system/version.js'

const run = promisify(execFile)
/** Also for the compiled program, beside which they are not. */
const helper = (name: string) => join(packageRoot, 'test/support', name)

export type Lab = { readonly kind: 'own' | 'uml' } | { readonly kind: 'none'; readonly reason: string }

/** Returns the kind of lab that this machine supports. */
export async function findLab(): Promise<Lab> {
  if (process.getuid?.() === 0 && (await hasOwnIpvs()) && (await works('unshare', '-n', '-m', '-p', 'true')))
    return { kind: 'own' }
  const packages = {
    'linux.uml': 'user-mode-linux',
    gcc: 'gcc',
    ipvsadm: 'ipvsadm',
    ip: 'iproute2',
    nft: 'nftables',
    taskset: 'util-linux',
  }
  const missing = Object.entries(packages).flatMap(([command, name]) => (isInstalled(command) ? [] : [name]))
  if (missing.length === 0 && guestMemory() >= LEAST_MEMORY) return { kind: 'uml' }
  if (missing.length === 0) return { kind: 'none', reason: 'a guest needs 1 GiB of space in /dev/shm' }
  const own = process.getuid?.() === 0 ? 'this kernel has no IPVS' : 'only root may use this kernel for them'
  return { kind: 'none', reason: `${own}, and a guest needs the packages ${missing.join(', ')}` }
}

async function hasOwnIpvs(): Promise<boolean> {
  return existsSync('/proc/net/ip_vs') || works('modprobe', '--dry-run', '--quiet', 'ip_vs')
}

/** Least memory of a guest in MiB. */
const LEAST_MEMORY = 512

/** Labs that run at once: one for each of two processors. Three keep a guest from a processor for longer than tests bear. */
export const LABS_AT_ONCE = 2

/** Returns the memory of a guest in MiB. It is a file in /dev/shm that grows with use. */
function guestMemory(): number {
  return Math.min(2048, Math.floor(freeMemory() / LABS_AT_ONCE))
}

function freeMemory(): number {
  const { bavail, bsize } = statfsSync('/dev/shm')
  return (bavail * bsize) / 2 ** 20
}

function isInstalled(command: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  return folders.some(folder => existsSync(join(folder, command)))
}

async function works(command: string, ...args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  )
}

export interface LabRun {
  readonly command: readonly string[]
  readonly directory: string
  readonly environment?: Readonly<Record<string, string>>
  /** Time limit in milliseconds, after which the lab is killed. */
  readonly timeout: number
  /** Places to which files of LAB_SCRATCH are copied, by their names there. */
  readonly results?: Readonly<Record<string, string>>
}

export interface LabOutcome {
  /** Exit code of the command; null if it did not finish. */
  readonly code: number | null
  /** Output of the command, both streams. */
  readonly output: string
  /** Output of the guest's kernel and init. */
  readonly console: string
}

/** Runs one command as root in a new lab, and removes the lab with everything created in it. */
export async function runInLab(
  kind: 'own' | 'uml',
  { command, directory, environment = {}, timeout, results = {} }: LabRun,
): Promise<LabOutcome> {
  const scratch = await mkdtemp(join(tmpdir(), 'lvsd-lab-'))
  const sweep = () => rmSync(scratch, { recursive: true, force: true })
  process.once('exit', sweep)
  try {
    await copyFile(helper('lab-init.sh'), join(scratch, 'init'))
    await chmod(join(scratch, 'init'), 0o755)
    await writeFile(join(scratch, 'kind'), kind)
    await writeFile(join(scratch, 'directory'), directory)
    await writeFile(join(scratch, 'command'), command.map(word => `${word}\0`).join(''))
    await writeFile(join(scratch, 'environment'), Object.entries(environment).map(assignment).join(''))
    const console =
      kind === 'uml' ? await bootGuest(scratch, timeout) : await enterNamespaces(scratch, timeout)
    const output = await readIfThere(join(scratch, 'output'))
    const exit = await readIfThere(join(scratch, 'exit'))
    for (const [name, place] of Object.entries(results))
      if (existsSync(join(scratch, name))) await copyFile(join(scratch, name), place)
    return { code: exit ? Number(exit) : null, output, console }
  } finally {
    process.off('exit', sweep)
    sweep()
  }
}

function assignment([name, value]: [string, string]): string {
  return `${name}='${value.replaceAll("'", `'\\''`)}'\n`
}

async function readIfThere(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}

async function bootGuest(scratch: string, timeout: number): Promise<string> {
  const shim = join(scratch, 'shim.so')
  await run('gcc', ['-O2', '-shared', '-fPIC', '-o', shim, helper('lab-shim.c')])
  const folder = ['umid=guest', `uml_dir=${scratch}/`]
  const root = ['rootfstype=hostfs', 'rootflags=/', 'ro', `init=${scratch}/init`, `LAB_SCRATCH=${scratch}`]
  const devices = ['con=null', 'con0=fd:0,fd:1', `mem=${guestMemory()}M`, 'quiet']
  const processor = takeProcessor()
  try {
    const guest = ['linux.uml', ...folder, ...root, ...devices]
    return await collect('taskset', ['--cpu-list', `${processor}`, ...guest], { LD_PRELOAD: shim }, timeout)
  } finally {
    guestsOn.set(processor, (guestsOn.get(processor) ?? 1) - 1)
  }
}

/** Number of guests on each processor of the host. */
const guestsOn = new Map<number, number>()

/** Returns the processor with the fewest guests of this process, counted in `guestsOn`. */
function takeProcessor(): number {
  const guests = (processor: number) => guestsOn.get(processor) ?? 0
  const [least = 0] = allowedProcessors().sort((a, b) => guests(a) - guests(b) || b - a)
  guestsOn.set(least, guests(least) + 1)
  return least
}

/** Returns the processors on which this process may run. */
function allowedProcessors(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return list.split(',').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

async function enterNamespaces(scratch: string, timeout: number): Promise<string> {
  const fresh = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  return collect('unshare', [...fresh, join(scratch, 'init')], { LAB_SCRATCH: scratch }, timeout)
}

/** Runs a process group to its end or the time limit. Returns its output. */
async function collect(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  timeout: number,
): Promise<string> {
  const child = spawn(command, args, {
    detached: true,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => printed.push(chunk))
  const limit = setTimeout(() => {
    printed.push(Buffer.from(`\nlab: torn down after ${timeout / 1000} s\n`))
    killGroup(child.pid)
  }, timeout)
  const giveUp = () => killGroup(child.pid)
  process.once('exit', giveUp)
  try {
    await once(child, 'exit')
  } finally {
    clearTimeout(limit)
    process.off('exit', giveUp)
    killGroup(child.pid)
  }
  return Buffer.concat(printed).toString()
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as { errno?: number }).errno !== -constants.errno.ESRCH) throw error
  }
}
