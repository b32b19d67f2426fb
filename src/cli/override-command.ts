/** What the commands share that give overrides and end them: drain, disable, weight, force and their opposites. */
import { dirname } from 'node:path'
import { endOverrides, fetchStatus, giveOverride } from '../api/client.js'
import type { EndRequest, GiveRequest, OverrideOutcome, TargetName } from '../api/override-types.js'
import type { OverrideStatus, ServiceStatus } from '../api/status-types.js'
import { addressesOf } from '../core/multihomed.js'
import type { Named } from '../overrides/targets.js'
import { painter } from '../util/paint.js'
import { counted } from '../util/plural.js'
import { printable } from '../util/printable.js'
import { shellQuoted } from '../util/shell-quoted.js'
import { clockTime, dateTime } from '../util/time-text.js'
import { askDaemon, socketOption, socketPath } from './ask-daemon.js'
import { type CommandContext, CommandError, EXIT, type ExitCode } from './command.js'
import { lastServers } from './last-servers.js'
import { meaningOf } from './named-targets.js'
import { endOf } from './override-end.js'

/** Effects that `lvsd enable` ends. */
export const ALL_EFFECTS = ['force-down', 'disable', 'drain', 'weight', 'force-up'] as const

export const targetArgument = {
  TARGET: { about: "a real server, 'web/[fd00::3]:80' or web/::3; a service, web; or all" },
} as const

export const yesOption = {
  yes: { short: 'y', about: 'do not ask, where the target is more than one real server' },
} as const

export const onlyOption = {
  only: { about: 'this address alone, where the real server has several' },
} as const

export const localOption = {
  local: { about: 'on this director alone, where the Redis of its site cannot be used' },
} as const

export const endingOptions = {
  ...socketOption,
  ...yesOption,
  ...onlyOption,
  ...localOption,
  json: { short: 'j', about: 'the outcome as JSON' },
} as const

export const givingOptions = {
  ...endingOptions,
  for: { value: 'TIME', about: 'how long: 90s, 30m, 2h, 3d; without it until somebody ends it' },
  until: { value: 'TIME', about: 'until then, local time: 06:00, 2026-11-29T06:00' },
  reason: { short: 'r', value: 'TEXT', about: 'why; shown wherever the override is shown' },
} as const

export type GivingContext = CommandContext<typeof givingOptions, typeof targetArgument>
/** Without --local, which some commands do not have. */
type AskingContext = CommandContext<Omit<typeof endingOptions, 'local'>, typeof targetArgument>
type EndingContext = CommandContext<typeof endingOptions, typeof targetArgument>

/** Puts an override on what TARGET means. */
export async function give(
  context: GivingContext,
  command: string,
  effect: GiveRequest['effect'],
): Promise<ExitCode> {
  const { outcome, named } = await given(context, command, effect)
  return shown(context, outcome, named)
}

/**
 * Sets an override on the real servers of TARGET. Returns the request and the answer; prints nothing but a warning where
 * clients have no other server.
 */
export async function given(context: GivingContext, command: string, effect: GiveRequest['effect']) {
  const { options } = context
  const until = endOf(options, Date.now(), command)
  const { services } = await askDaemon(fetchStatus(socketOf(context)))
  const { targets, named } = await chosenOf(services, context, command)
  const { reason = '', local } = options
  const request: GiveRequest = { targets, effect, reason, until, ...(local && { local }) }
  const outcome = await askDaemon(giveOverride(socketOf(context), request))
  if (outcome.ok)
    for (const line of [...lastServers(services, request), ...strongerAdvice(outcome, effect.kind)])
      context.warn(printable(line))
  return { request, outcome, named }
}

/** Ends overrides on what TARGET means. */
export async function end(
  context: EndingContext,
  command: string,
  effects: EndRequest['effects'],
): Promise<ExitCode> {
  const { targets, named } = await chosen(context, command)
  const outcome = await askDaemon(
    endOverrides(socketOf(context), { targets, effects, ...(context.options.local && { local: true }) }),
  )
  const exit = shown(context, outcome, named)
  const advice = [
    ...serviceAdvice(outcome, { command, targets, effects }),
    ...singleAdvice(outcome, { command, targets, effects, named }),
    ...remainingAdvice(outcome, wordsOf(context)),
  ]
  for (const line of advice) context.warn(line)
  return exit === EXIT.ok && hasEndedNothing(outcome, effects) ? EXIT.problem : exit
}

/** True if no override has ended, and one with such an effect still counts. */
function hasEndedNothing({ ended, reals }: OverrideOutcome, effects: EndRequest['effects']): boolean {
  return ended === 0 && reals.some(({ override }) => override !== null && effects.includes(override.effect))
}

/** Returns how to end the overrides of whole services that remain on single real servers. */
function serviceAdvice(
  { reals }: OverrideOutcome,
  { command, targets, effects }: Pick<EndRequest, 'targets' | 'effects'> & { readonly command: string },
): readonly string[] {
  const isSingle = (service: string) =>
    targets.some(target => target.service === service && target.real !== null)
  const services = reals.flatMap(({ service, override }) =>
    override?.source === 'command' && effects.includes(override.effect) && isSingle(service) ? [service] : [],
  )
  return [...new Set(services)].map(service =>
    printable(`The override is given to the whole service: lvsd ${command} ${service} ends it`),
  )
}

/** Real servers that are named. */
const MOST_ADVISED = 3

/** Returns on which real servers an override does not count yet, because a stronger one does. */
function strongerAdvice({ reals }: OverrideOutcome, given: OverrideStatus['effect']): readonly string[] {
  const lines = reals.flatMap(({ service, real, override }) =>
    override && override.effect !== given
      ? [`${service}/${real}: ${given} has no effect until the ${override.effect} by ${override.who} ends`]
      : [],
  )
  return atMost(MOST_ADVISED, lines)
}

function atMost(count: number, lines: readonly string[]): readonly string[] {
  if (lines.length <= count) return lines
  return [...lines.slice(0, count), `and so for ${counted(lines.length - count, 'more real server')}`]
}

/** Returns how to end the overrides of single real servers that remain when those of their whole service have ended. */
function singleAdvice(
  { reals }: OverrideOutcome,
  {
    command,
    targets,
    effects,
    named,
  }: Pick<EndRequest, 'targets' | 'effects'> & { readonly command: string; readonly named: readonly Named[] },
): readonly string[] {
  const isWhole = (service: string) =>
    targets.some(target => target.service === service && target.real === null)
  const left = reals.filter(
    ({ service, override }) =>
      override?.source === 'command' && effects.includes(override.effect) && isWhole(service),
  )
  const servers = new Map(left.map(one => [serverOf(one, named), one]))
  const lines = [...servers.values()].map(({ service, real }) => {
    const name = `${service}/${real}`
    return printable(`${name} has an override of its own: lvsd ${command} ${shellQuoted(name)} ends it`)
  })
  return atMost(MOST_ADVISED, lines)
}

/** Returns how to end the overrides of windows and files, which this command does not end. `words`: the target. */
function remainingAdvice({ reals }: OverrideOutcome, words: string): readonly string[] {
  const sources = new Set(reals.map(({ override }) => override?.source))
  return [
    ...(sources.has('window')
      ? [printable(`A maintenance window is open. To end it early: lvsd windows end ${words}`)]
      : []),
    ...atMost(MOST_ADVISED, reals.flatMap(fileAdvice)),
  ]
}

/** Returns how to end the override by a maintenance file. */
function fileAdvice({ service, real, override }: OverrideOutcome['reals'][number]): readonly string[] {
  if (override?.source !== 'file') return []
  const { who, folderTrouble: trouble } = override
  const folder = dirname(who)
  const [name, quoted] = [`${service}/${real}`, shellQuoted(folder)]
  const endings = {
    gone: `its folder is missing: mkdir ${quoted} ends it`,
    elsewhere: `its folder is empty, on another file system than before: a file in ${quoted} ends it`,
    unreadable: `its folder ${folder} cannot be read`,
    silent: `its folder ${folder} does not answer`,
  } as const
  const ending = trouble ? `, and ${endings[trouble]}` : `: rm ${shellQuoted(who)} ends it`
  return [printable(`${name} is still held down by a maintenance file${ending}`)]
}

export function socketOf({ options, env }: AskingContext): string {
  return socketPath(options.socket, env)
}

/** Returns TARGET as a further command of the same meaning has it. */
export function wordsOf({ arguments: { TARGET }, options: { only } }: AskingContext): string {
  return `${shellQuoted(TARGET)}${only ? ' --only' : ''}`
}

interface Chosen {
  readonly targets: TargetName[]
  /** All that there are. */
  readonly named: readonly Named[]
}

/** The exact names of what TARGET means. More than one real server takes --yes, or a yes on the terminal. */
export async function chosen(context: AskingContext, command: string): Promise<Chosen> {
  const { services } = await askDaemon(fetchStatus(socketOf(context)))
  return chosenOf(services, context, command)
}

async function chosenOf(
  services: readonly ServiceStatus[],
  context: AskingContext,
  command: string,
): Promise<Chosen> {
  const named = services.map(({ name, reals, multihomed }) => ({
    service: name,
    reals: reals.map(one => one.name),
    ...(multihomed && { multihomed }),
  }))
  const scope = context.options.only ? 'address' : 'server'
  const targets = [...meaningOf(context.arguments.TARGET, named, command, scope)]
  const count = targets.flatMap(({ service, real }) =>
    real === null ? (named.find(one => one.service === service)?.reals ?? []) : [real],
  ).length
  if (targets.some(({ real }) => real === null) && !context.options.yes)
    await confirm(context, `${command} ${context.arguments.TARGET}: ${counted(count, 'real server')}`)
  return { targets, named }
}

/** Throws where the answer is anything but y. */
async function confirm(context: AskingContext, what: string): Promise<void> {
  if (!context.screen.isTerminal)
    throw new CommandError(`${what}; say that this is meant with --yes`, EXIT.usage)
  context.write(`${what}. Go on? [y/N] `)
  const key = await new Promise<string>(resolve => {
    const stop = context.onKey(key => {
      stop()
      resolve(key)
    })
  })
  context.write('\n')
  if (key.toLowerCase() !== 'y') throw new CommandError('nothing has been changed', EXIT.problem)
}

/** Prints the outcome, also as JSON. Throws a CommandError if it is a refusal. */
export function shown(context: AskingContext, outcome: OverrideOutcome, named: readonly Named[]): ExitCode {
  if (context.options.json) {
    context.printData(JSON.stringify({ schema: 1, ...outcome }, null, 2))
    return outcome.ok ? EXIT.ok : EXIT.problem
  }
  return printOutcome(context, outcome, named)
}

/** Prints the outcome for people. Throws a CommandError if it is a refusal. */
export function printOutcome(
  context: AskingContext,
  outcome: OverrideOutcome,
  named: readonly Named[],
): ExitCode {
  const paint = painter(context.screen.colour)
  if (!outcome.ok) throw new CommandError(printable(outcome.message), EXIT.problem)
  for (const line of outcomeLines(outcome, named)) context.print(printable(line))
  if (outcome.reals.length === 0) context.print(printable(outcome.message))
  if (outcome.isLocal)
    context.warn('On this director alone: the others follow when the Redis of the site can be used again')
  if (!outcome.isKept)
    context.warn(paint('red', 'lvsd cannot write this to its state folder: a restart would not know it'))
  return EXIT.ok
}

/** More real servers than this are shown as a number; --json lists each of them. */
const MOST_TOLD = 20

function outcomeLines({ reals }: OverrideOutcome, named: readonly Named[]): string[] {
  const told = reals.map(({ service, real, override }) => ({
    service,
    real,
    text: override ? overrideText(override) : 'no override: its checks decide',
  }))
  if (told.length <= MOST_TOLD) return serverLines(told, named)
  const counts = new Map<string, number>()
  for (const { text } of told) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts].map(([text, count]) => `${counted(count, 'real server')}  ${text}`)
}

interface ToldReal {
  readonly service: string
  readonly real: string
  readonly text: string
}

/** Returns a line for each server; one with several addresses has one line if the same is so for them. */
function serverLines(told: readonly ToldReal[], named: readonly Named[]): string[] {
  const servers = new Map<string, ToldReal[]>()
  for (const one of told) {
    const key = `${serverOf(one, named)}  ${one.text}`
    servers.set(key, [...(servers.get(key) ?? []), one])
  }
  return [...servers.values()].map(reals => {
    const names = reals.map(({ service, real }) => `${service}/${real}`)
    return `${names.join(' and ')}  ${reals[0]?.text}`
  })
}

/** Returns the same text for all addresses of a real server. */
function serverOf({ service, real }: Pick<ToldReal, 'service' | 'real'>, named: readonly Named[]): string {
  return `${service}/${addressesOf(real, named.find(one => one.service === service)?.multihomed)[0]}`
}

/** `drain until 2026-11-29 06:00:00 UTC, by anna: disk swap`. */
export function overrideText({ effect, weight, who, reason, until, rampUntil }: OverrideStatus): string {
  const ramp = rampUntil === null ? '' : `, weight 0 at ${clockTime(Date.parse(rampUntil))}`
  const what = weight === null ? `${effect}${ramp}` : `weight ${weight}`
  const end = until === null ? '' : ` until ${dateTime(Date.parse(until))}`
  return `${what}${end}, by ${who}${reason === '' ? '' : `: ${reason}`}`
}
