import { access, constants } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { bracketed } from '../src/address.js'
import { type Answer, defineCheck, down, noVerdict, type Target, up } from '../src/check.js'
import { type Ended, enter, leave, MOST_AT_ONCE, predecessorGone, runCommand } from '../src/children.js'
import { whyUntrusted } from '../src/trusted-path.js'

/** What a command that ignores TERM is given before KILL, milliseconds. */
const GRACE = 1000
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

type Fact = (target: Target, timeout: number) => string

/** What a command may be told: by placeholder, and in its environment as LVSD_ and the name in capitals. Addresses bare. */
const FACTS: Readonly<Record<string, Fact>> = {
  address: ({ address }) => address.text,
  port: ({ port }) => String(port),
  family: ({ address }) => address.family,
  real: ({ real }) => real.address.text,
  realport: ({ real }) => String(real.port),
  weight: ({ real }) => String(real.weight),
  service: ({ service }) => service.name,
  virtual: ({ service }) => service.address?.text ?? '',
  virtualport: ({ service }) => String(service.port),
  protocol: ({ service }) => service.protocol,
  fwmark: ({ service }) => String(service.fwmark ?? ''),
  // Whole seconds, at least 1, as plug-ins take them.
  timeout: (_target, timeout) => String(Math.max(1, Math.floor(timeout / 1000))),
}
const PLACEHOLDER = /\{[a-z]+\}/g
const PLACEHOLDERS = Object.keys(FACTS)
  .map(name => `{${name}}`)
  .join(' ')

/**
 * Runs a command: exit 0 is up. Its arguments are ldirectord's, `VIP|FWMARK VPORT REAL_IP REAL_PORT`, IPv6 addresses
 * in brackets, unless `arguments` says otherwise. No shell. It is killed with its children at the deadline.
 */
export const check = defineCheck({
  name: 'external',
  summary: 'runs a command, as ldirectord does; Nagios plug-ins too',
  perService: true,

  options: kit => ({
    checkcommand: kit.text('/bin/true', 'Path of the command; no arguments here'),
    arguments: kit.list([], `Arguments instead of ldirectord's four; placeholders: ${PLACEHOLDERS}`),
    nagios: kit.flag(
      false,
      'Read the exit code as of a Nagios plug-in: 0 OK, 1 warning, 2 critical, 3 unknown',
    ),
    warning: kit.choice(['up', 'down'], 'up', "What a Nagios plug-in's warning is"),
  }),

  validate({ checkcommand, arguments: args }) {
    if (checkcommand === '') return 'checkcommand takes the path of a command'
    if ([checkcommand, ...args].some(text => text.includes('\0'))) return 'a command cannot contain a NUL'
    const placeholders = args.flatMap(arg => arg.match(PLACEHOLDER) ?? [])
    const unknown = placeholders.find(word => !Object.hasOwn(FACTS, word.slice(1, -1)))
    return unknown ? `${unknown} is no placeholder; there are ${PLACEHOLDERS}` : null
  },

  async run(target, options, { signal, timeout, phase }) {
    const file = await locate(options.checkcommand)
    if (typeof file !== 'string') return file
    const argv = argumentsOf(target, options, timeout)
    const command = { file, argv, env: environment(target, timeout), signal, grace: GRACE }
    await predecessorGone(command)
    // One that starts when half of the time is gone may be killed for lvsd's own queue.
    if (!(await enter(timeout / 2, signal)))
      return noVerdict(
        `${MOST_AT_ONCE} commands are under way already: a longer interval gives each its turn`,
      )
    try {
      phase('run')
      return judge(await runCommand(command), options)
    } catch (error) {
      return notStarted(error, file)
    } finally {
      leave()
    }
  },
})

interface Wanted {
  readonly checkcommand: string
  readonly arguments: readonly string[]
  readonly nagios: boolean
  readonly warning: 'up' | 'down'
}

/** ldirectord's four arguments, or the user's with the placeholders filled in. */
export function argumentsOf(target: Target, options: Pick<Wanted, 'arguments'>, timeout: number): string[] {
  const { real, service } = target
  if (options.arguments.length === 0) {
    const virtual = service.address ? bracketed(service.address) : String(service.fwmark ?? '')
    return [virtual, String(service.port), bracketed(real.address), String(real.port)]
  }
  const fill = (word: string) => FACTS[word.slice(1, -1)]?.(target, timeout) ?? word
  return options.arguments.map(arg => arg.replace(PLACEHOLDER, fill))
}

function environment(target: Target, timeout: number): Record<string, string> {
  const facts = Object.entries(FACTS).map(([name, fact]) => [
    `LVSD_${name.toUpperCase()}`,
    fact(target, timeout),
  ])
  return { PATH, LC_ALL: 'C', ...Object.fromEntries(facts) }
}

/** The command's path, or why it is not run. A bare name is looked up as exec does it. */
async function locate(command: string): Promise<string | Answer> {
  const places = command.includes('/')
    ? [resolve('/', command)]
    : PATH.split(':').map(folder => `${folder}/${command}`)
  for (const place of places) {
    try {
      const untrusted = await whyUntrusted(place)
      if (untrusted !== null) return down('error', `not run: ${untrusted}`)
      await access(place, constants.X_OK)
      return place
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return notStarted(error, place)
    }
  }
  const hint = command.includes(' ') ? '; arguments belong under `arguments`' : ''
  const where = isAbsolute(command) ? '' : ` (looked in ${command.includes('/') ? '/' : PATH})`
  return down('error', `${command} does not exist${where}${hint}`)
}

function notStarted(error: unknown, file: string): Answer {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (OWN_WANT.has(code))
    return noVerdict(`${file} could not be started: this machine has no resources left (${code})`)
  return down('error', START_ERRORS[code]?.(file) ?? `${file} could not be started: ${message}`)
}

/** The machine lvsd runs on is at its limits; nothing is said about the server. */
const OWN_WANT = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS'])

const START_ERRORS: Readonly<Record<string, (file: string) => string>> = {
  EACCES: file => `${file} is not executable for lvsd's user: chmod +x it, and look at the folders above it`,
  ENOENT: file => `${file} names an interpreter in its first line that does not exist`,
  ENOTDIR: file => `${file} does not exist: a part of the path is not a folder`,
  ENOEXEC: file => `${file} is neither a program nor a script with a #! line`,
  ETXTBSY: file => `${file} is being written just now`,
}

const NAGIOS_WORDS: Readonly<Record<number, string>> = { 0: 'OK', 1: 'warning', 2: 'critical', 3: 'unknown' }

function judge({ code, signal, output }: Ended, { nagios, warning }: Wanted): Answer {
  // A plug-in's performance data stand after the bar.
  const printed = nagios ? output.split('|')[0] : output
  if (signal !== null || code === null) return down('signal', withOutput(`ended by ${signal}`, printed))
  const word = nagios ? (NAGIOS_WORDS[code] ?? `exit ${code}`) : `exit ${code}`
  const said = withOutput(word, printed)
  const isUp = code === 0 || (nagios && code === 1 && warning === 'up')
  return isUp ? up(said) : down('status', said)
}

/** The word and the first line that says something. */
function withOutput(word: string, output = ''): string {
  const line = output
    .split(/[\r\n]+/)
    .map(text => printable(text).trim())
    .find(text => text !== '')
  return line ? `${word}: ${line.slice(0, 200)}` : word
}

function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
