/** lvsd status: shows the status document of the daemon. */
import { fetchDirectors, fetchStatus } from '../../api/client.js'
import type { DirectorsDocument } from '../../api/cluster-status-types.js'
import type { RealStatus, ServiceStatus, StatusDocument } from '../../api/status-types.js'
import { bracketed, withoutBrackets } from '../../core/address.js'
import { hostPort } from '../../core/display-names.js'
import { AmbiguousTarget, realsNamed, splitTarget, TargetError } from '../../overrides/targets.js'
import { didYouMeanOf } from '../../util/closest-match.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { type CommandContext, CommandError, defineCommand, EXIT, type ExitCode } from '../command.js'
import { usageError } from '../parse.js'
import { type Checked, checkStatus } from '../terminal/check.js'
import { renderStatus } from '../terminal/status.js'

export const command = defineCommand({
  name: 'status',
  summary: 'Show services, real servers, weights, connections and the last results',
  details: `Asks the running lvsd over its control socket. Servers that are down come first.

- FOR and SINCE: how long, and since when, the real server as a whole has been in its state.
- WEIGHT: what lvsd wants in the table. KERNEL: what the kernel held at the last reading. - is not in the table.
- ACTIVE and INACT: the connections of a real server as the kernel counts them.
- TOOK: how long the last check took. LAST RESULT: the check that explains the state.
- "late 1.6ms" in the head: 99 of 100 checks of the recent past started at most that late.
- "read 4s ago" in the head: when lvsd last read the kernel's table.

--check prints one line and ends as a Nagios plug-in: 0 ok, 1 a server is down (maintenance does not count), gives no
verdict, or the configuration of the file does not run, 2 a service has no server left, 3 no lvsd answers.

--json gives the whole document; its field "schema" (2) increases when a field changes its meaning or is removed. With --watch it
is one JSON object on a line for each change: kind "real" or "service", at, service, from, to, and real and reason or
fallback; kind "lvsd" with a message when lvsd does not answer or answers again.`,
  arguments: {
    SERVICE: {
      about:
        "only this service: its name, or its key such as 'tcp [2001:db8::80]:80', with or without tcp; a real server of it, web/::1; or the real servers of this address: '[2001:db8::1]:80'",
      optional: true,
    },
    REAL: {
      about: "only this real server: '[2001:db8::1]:80', without the port, or the end of its address, ::1",
      optional: true,
    },
  },
  options: {
    ...socketOption,
    json: { short: 'j', about: 'the whole document as JSON; with --watch a line for each change' },
    watch: {
      short: 'w',
      value: '[SECONDS]',
      default: '1',
      about:
        'draw it again and again, every SECONDS, until q or Ctrl-C; into a pipe: once, then a line for each change',
    },
    site: { about: 'the directors of the site: who lives, who is active, and whose configuration differs' },
    check: { short: 'c', about: 'one line and an exit code for Nagios and its kin' },
  },
  examples: [
    ['lvsd status', 'everything, once'],
    ['lvsd status web', 'one service'],
    ['lvsd status web/::1', 'one real server'],
    ["lvsd status '[2001:db8::1]:80'", 'one real server, in all services'],
    ['lvsd status --watch 2', 'live, every two seconds; q ends it'],
    ['lvsd status --check web', 'is all well with web?'],
    ['lvsd status --site', 'all directors of the site'],
    ['lvsd status --json', 'for programs'],
  ],
  async run(context) {
    const { SERVICE: service, REAL: real } = context.arguments
    const path = socketPath(context.options.socket, context.env)
    if (context.options.site)
      return showSite(await askDaemon(fetchDirectors(path)), context.options.json, context)
    const fetch = async () => filtered(await fetchStatus(path), service, real)
    const { watch, json: isJson, check } = context.options
    if (watch !== undefined && !check) {
      // Only the live view needs these modules: a status is asked for often.
      const [{ watchStatus }, { steeringOf }] = await Promise.all([
        import('../live-view.js'),
        import('../steering.js'),
      ])
      const steering = steeringOf(path)
      await askDaemon(watchStatus({ context, fetch, every: everyMs(watch), isJson, steering }))
      return EXIT.ok
    }
    const document = await askDaemon(fetch())
    if (check) return printed(checkStatus(document), context)
    if (context.options.json) context.printData(JSON.stringify(document, null, 2))
    else context.print(renderStatus(document, { ...context.screen, now: Date.now() }))
    return EXIT.ok
  },
})

async function showSite(
  document: DirectorsDocument,
  isJson: boolean,
  { print, printData, screen }: Pick<CommandContext, 'print' | 'printData' | 'screen'>,
): Promise<ExitCode> {
  const { renderDirectors } = await import('../terminal/directors.js')
  if (isJson) printData(JSON.stringify(document, null, 2))
  else print(renderDirectors(document, screen))
  return EXIT.ok
}

function printed({ verdict, line }: Checked, { print }: Pick<CommandContext, 'print'>): ExitCode {
  print(line)
  return verdict
}

/** Converts seconds to milliseconds, at least 100, so that a mistyped value does not overload the daemon. */
function everyMs(seconds: string): number {
  return Math.max(100, Number(seconds) * 1000)
}

/**
 * Returns the document with only the named service and real server. An unknown name throws a CommandError with the
 * closest valid word.
 */
export function filtered(
  document: StatusDocument,
  service: string | undefined,
  real: string | undefined,
): StatusDocument {
  if (service === undefined) return document
  const services = document.services.filter(each => isService(each, service))
  if (services.length === 0 && real === undefined) {
    const names = document.services.map(({ name }) => name)
    const split = splitTarget(service, names)
    return split ? filtered(document, ...split) : withReals(document, service)
  }
  if (services.length === 0) throw noService(document, service)
  if (real === undefined) return { ...document, services }
  const called = services.map(each => ({ ...each, reals: each.reals.filter(one => isCalled(one, real)) }))
  const isFound = called.some(each => each.reals.length > 0)
  const chosen = isFound ? called : services.map(each => ({ ...each, reals: realsEnding(each, real) }))
  if (chosen.every(each => each.reals.length === 0)) throw noReal(service, services, real)
  return { ...document, services: chosen }
}

/** True if the word is the name of the service, its key, or its key without the protocol: `[2001:db8::80]:80`. */
function isService({ name, key }: ServiceStatus, word: string): boolean {
  // The common name of a service with several protocols or ports matches all its parts.
  const isPart =
    /^(?:(?:tcp|udp|sctp)\/?)?\d*$/.test(name.slice(word.length + 1)) && name.startsWith(`${word}/`)
  return name === word || isPart || key === word || key?.replace(/^\w+ /, '') === word
}

/** Returns the real server whose address has this end, as `lvsd drain web/::3` takes it. Throws if several have it. */
function realsEnding({ name, reals }: ServiceStatus, end: string): readonly RealStatus[] {
  try {
    const named = [{ service: name, reals: reals.map(one => one.name) }]
    const found = realsNamed(end, name, named)
    return reals.filter(one => found.some(({ real }) => real === one.name))
  } catch (error) {
    if (!(error instanceof TargetError)) throw error
    if (error instanceof AmbiguousTarget) throw usageError(error.message, 'status')
    return []
  }
}

/** Returns the services that have this real server, each with only this server. */
function withReals(document: StatusDocument, word: string): StatusDocument {
  const services = document.services
    .map(service => ({ ...service, reals: service.reals.filter(real => isCalled(real, word)) }))
    .filter(({ reals }) => reals.length > 0)
  if (services.length === 0) throw noService(document, word)
  return { ...document, services }
}

function isCalled(real: RealStatus, word: string): boolean {
  const bare = withoutBrackets(word)
  return word === hostPort(real) || bare === real.host || bracketed(bare) === real.address
}

function noService({ services }: StatusDocument, word: string): CommandError {
  const names = services.map(({ name }) => name)
  return new CommandError(`there is no service "${word}"${didYouMeanOf(word, names)}`, EXIT.usage)
}

function noReal(service: string, services: readonly ServiceStatus[], word: string): CommandError {
  const names = services.flatMap(({ reals }) => reals.map(hostPort))
  return new CommandError(`"${service}" has no real server "${word}"${didYouMeanOf(word, names)}`, EXIT.usage)
}
