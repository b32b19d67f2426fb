/**
 * lvsd demo: runs the daemon on a small demo site and shows the live view. Needs no root and changes nothing on the
 * machine.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { addToken, ControlError, fetchStatus } from '../../api/client.js'
import type { StatusDocument } from '../../api/status-types.js'
import { painter } from '../../util/paint.js'
import { CommandError, defineCommand, EXIT } from '../command.js'
import { type DemoSite, startSite } from '../demo/site.js'
import { watchStatus } from '../live-view.js'

/** Maximum milliseconds until the daemon answers. */
const START_TIMEOUT = 20_000
/** Milliseconds between SIGTERM and SIGKILL at the end. */
const STOP_TIMEOUT = 5000
/** Connections per second and service that the table simulates. */
const TRAFFIC = 40

export const command = defineCommand({
  name: 'demo',
  summary: 'Try lvsd on a small site of little servers on ::1: no root, nothing is changed',
  details: `Starts "lvsd run --kernel memory" on two services over IPv6 and shows "lvsd status --watch".
The same is live in a browser: the demo prints the address of its page, with a token that may
also drain. Page and token end with the demo.
One of the real servers fails and recovers by itself every few seconds. The clients, and so the
connections, are simulated. Ctrl-C ends everything.
Where standard output is no terminal, the table is printed once and then a line for each transition.`,
  arguments: {},
  options: {
    seconds: { value: 'N', about: 'end after N seconds; default: at Ctrl-C' },
  },
  examples: [
    ['lvsd demo', 'the live view'],
    ['lvsd demo --seconds 30 | cat', 'half a minute of transitions as lines'],
  ],
  async run(context) {
    const seconds = secondsOf(context.options.seconds)
    const interrupted = new AbortController()
    context.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], () => interrupted.abort())
    const folder = mkdtempSync(join(tmpdir(), 'lvsd-demo-'))
    const site = await startSite(folder)
    const files = filesIn(folder)
    writeFileSync(files.config, site.yaml)
    const daemon = startDaemonProcess(files)
    try {
      await answers(files, daemon, interrupted.signal)
      const end = seconds ? [AbortSignal.timeout(seconds * 1000)] : []
      const until = AbortSignal.any([interrupted.signal, exited(daemon), ...end])
      if (!until.aborted) {
        const address = await pageAddress(files, site)
        site.start()
        const intro = introFor(files, site, { address, screen: context.screen })
        await watchStatus({ context, every: 500, until, intro, fetch: () => fetchStatus(files.socket) })
      }
      if (daemon.exitCode !== null) throw diedWith(files, daemon)
    } finally {
      await stopped(daemon)
      site.close()
      rmSync(folder, { recursive: true, force: true })
    }
    context.print('The demo is over; nothing is left behind. The same on a director: see README.md.')
    return EXIT.ok
  },
})

interface Files {
  readonly config: string
  readonly socket: string
  readonly log: string
}

function filesIn(folder: string): Files {
  return {
    config: join(folder, 'site.yaml'),
    socket: join(folder, 'lvsd.sock'),
    log: join(folder, 'lvsd.log'),
  }
}

function secondsOf(text: string | undefined): number | null {
  if (text === undefined) return null
  const seconds = Number(text)
  if (seconds > 0 && seconds < 2 ** 31 / 1000) return seconds
  throw new CommandError(`--seconds takes a number above 0, not "${text}"`, EXIT.usage)
}

/**
 * Starts this program as the daemon, in its own process group: Ctrl-C reaches only this process, which then stops it.
 */
function startDaemonProcess({ config, log }: Files): ChildProcess {
  const out = openSync(log, 'a')
  try {
    return spawn(process.execPath, [...process.execArgv, ownPath(), 'run', config, '--kernel', 'memory'], {
      stdio: ['ignore', out, out],
      detached: true,
      env: { ...process.env, LVSD_DEMO_TRAFFIC: String(TRAFFIC) },
    })
  } finally {
    closeSync(out)
  }
}

function ownPath(): string {
  return process.argv[1] ?? ''
}

/** Waits until the daemon answers on its socket and has settled. */
async function answers(files: Files, daemon: ChildProcess, interrupted: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT
  while (!interrupted.aborted) {
    try {
      if (hasSettled(await fetchStatus(files.socket))) return
    } catch (error) {
      const isOver = daemon.exitCode !== null || daemon.signalCode !== null || performance.now() > deadline
      if (!(error instanceof ControlError) || isOver) throw diedWith(files, daemon)
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** True if every server has a result, and each that is up is in the table, which follows a moment later. */
export function hasSettled({ services }: Pick<StatusDocument, 'services'>): boolean {
  return services.every(({ reals }) =>
    reals.every(({ state, weight }) => (state === 'up' ? weight.kernel !== null : state !== 'unknown')),
  )
}

function diedWith({ log }: Files, daemon: ChildProcess): CommandError {
  const end = readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n')
  return new CommandError(
    `the demo's daemon ended (${daemon.exitCode ?? daemon.signalCode}). Its last output:\n${end}`,
    EXIT.fault,
  )
}

function exited(daemon: ChildProcess): AbortSignal {
  const controller = new AbortController()
  daemon.once('exit', () => controller.abort())
  return controller.signal
}

async function stopped(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const gone = new Promise<void>(resolve => daemon.once('exit', () => resolve()))
  daemon.kill('SIGTERM')
  const timer = setTimeout(() => daemon.kill('SIGKILL'), STOP_TIMEOUT)
  await gone
  clearTimeout(timer)
}

/**
 * The address of the page with a token. The token is behind the `#`, which a browser does not send; the page takes it out
 * of the address bar.
 */
async function pageAddress({ socket }: Files, { pagePort }: DemoSite): Promise<string> {
  const { token } = await addToken(socket, { name: 'demo', role: 'operate', until: null })
  return `http://[::1]:${pagePort}/#token=${token}`
}

interface Shown {
  readonly address: string
  readonly screen: { readonly colour: boolean }
}

/** Returns the command that starts this program from the folder. */
export function selfFor(path: string, folder = process.cwd()): string {
  if (basename(path) === 'lvsd') return 'lvsd'
  const near = relative(folder, path)
  return `node ${near.startsWith('..') ? path : near}`
}

/** Returns a text that explains the display and suggests commands, within 80 columns. */
function introFor({ config, socket }: Files, { unsteadyPort }: DemoSite, { address, screen }: Shown): string {
  const paint = painter(screen.colour)
  const self = selfFor(ownPath())
  return [
    paint('bold', 'lvsd demo: two services over IPv6; their real servers are small servers on ::1.'),
    `[::1]:${unsteadyPort} fails and recovers by itself: it is down after two failures in a row.`,
    'The same live in a browser, where servers can also be drained:',
    paint('cyan', address),
    'Ctrl-C ends it. Meanwhile, in another terminal:',
    `  ${self} status --socket ${socket}`,
    `  ${self} plan ${config} --kernel memory`,
    `  ${self} probe ${config}`,
  ].join('\n')
}
