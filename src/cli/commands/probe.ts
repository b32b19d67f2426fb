/** lvsd probe: runs the configured checks once and shows all phases. */
import { bracketed, endpoint, withoutBrackets } from '../../core/address.js'
import { hostPort } from '../../core/display-names.js'
import { combine } from '../../core/health.js'
import type {
  CheckResult,
  Config,
  HealthState,
  ResolvedReal,
  ResolvedService,
  Service,
} from '../../core/model.js'
import { weightFrom } from '../../core/weight-hint.js'
import { type Job, jobsOf, workOf } from '../../health/jobs.js'
import { familyOfService, type LookupRequest, memberRequest } from '../../names/lookup-requests.js'
import { AmbiguousTarget, realsNamed, splitTarget, TargetError } from '../../overrides/targets.js'
import { openCheckSources } from '../../schedule/check-sources.js'
import { openOneShot } from '../../schedule/executors.js'
import { didYouMeanOf } from '../../util/closest-match.js'
import { CommandError, configArgument, defineCommand, EXIT } from '../command.js'
import { loadConfigOrExit, resolveNow } from '../load-or-exit.js'
import { isNotRun, type Probed, type ProbedServer, renderProbed, stateOf } from '../terminal/probe.js'

/** Maximum number of concurrent checks, so that a probe does not look like an attack. */
const AT_ONCE = 32

export const command = defineCommand({
  name: 'probe',
  summary: 'Run the configured checks once, now, and show each phase',
  details: `Sends every check of the configuration (or of one service, or one real server) once and shows where it went,
how long each phase took, what came and how it was judged; at the end, for each server, whether enough of its checks
pass, and with which weight. The exit code is 0 if all servers are up. rise, fall and maintenance play no part. Does not
touch the kernel's table, and needs no running lvsd. A check with path: service goes through that table: it is named,
is not run, and counts for nothing. Where there is no other check, nothing is known, and the exit code is 1.`,
  arguments: {
    ...configArgument,
    SERVICE: { about: 'only this service, by its name; or one of its real servers: web/::1', optional: true },
    REAL: {
      about: "only this real server: '[2001:db8::1]:80', without the port, or the end of its address, ::1",
      optional: true,
    },
  },
  options: { json: { short: 'j', about: 'the results as JSON' } },
  examples: [
    ['lvsd probe /etc/lvsd/lvsd.yaml', 'everything'],
    ['lvsd probe lvsd.yaml web/::11', 'one real server'],
  ],
  async run(context) {
    const { CONFIG, SERVICE, REAL } = context.arguments
    const { config: whole, checks } = await loadConfigOrExit(CONFIG, context)
    const chosen = chosenPart(whole, SERVICE, REAL)
    const { config, troubleOf } = await resolveNow(chosen, new Map(), context)
    const { jobs, subscribers } = jobsOf(config, checks)
    const ran = [...jobs.values()].filter(({ use }) => use.path !== 'service')
    const results = await runAll(ran, config.services)
    const probed = [
      ...subscribers.map(({ service, real, use, jobId, target }) => ({
        service: service.name,
        real: hostPort(real),
        check: use.kind,
        target: target.port > 0 ? endpoint(target.address, target.port) : bracketed(target.address),
        ...(use.path === 'service' ? LEFT_OUT : { result: results.get(jobId) ?? notRun(use.kind) }),
      })),
      ...config.services.flatMap(service => unresolvedReals(service, troubleOf)),
    ]
    const servers = config.services.flatMap(service => serversOf(service, probed))
    if (context.options.json) context.printData(asJson(probed, servers))
    else context.print(renderProbed(probed, { ...context.screen, servers }))
    if (servers.length > 0 && servers.every(isNotRun)) {
      context.warn(NOTHING_CHECKED)
      return EXIT.problem
    }
    return servers.every(server => server.state === 'up' || isNotRun(server)) ? EXIT.ok : EXIT.problem
  },
})

/** An exit code of 0 would tell a script that the servers are well. */
const NOTHING_CHECKED =
  'nothing was checked: each check here goes through the path of its service, which needs a running lvsd; lvsd status and lvsd why show its results'

/** Returns for each real server of a service the state that follows from the results of its checks. */
function serversOf(service: ResolvedService, probed: readonly Probed[]): readonly ProbedServer[] {
  return service.reals.map(real => {
    const own = probed.filter(each => each.service === service.name && each.real === hostPort(real))
    const results = own.flatMap(({ result, isLeftOut }) => (isLeftOut ? [] : [result]))
    const configured = real.attributes.weight
    const leftOut = own.length - results.length
    const { need } = real
    const states = results.map(stateOf)
    // What the checks would say that were not run is not known: they may be what a server lacks, or has.
    const known = combine([...states, ...Array<HealthState>(leftOut).fill('unknown')], need)
    const hasPassed = leftOut > 0 && results.length > 0 && states.every(one => one === 'up')
    const state = hasPassed && known === 'unknown' ? 'up' : known
    const advice = results.flatMap(({ ok, advice }) => (ok && advice ? [advice] : []))
    const weight = state === 'up' ? weightFrom(configured, advice) : null
    const passed = results.filter(({ ok }) => ok === true).length
    return {
      service: service.name,
      real: hostPort(real),
      host: real.host,
      address: real.address && bracketed(real.address),
      port: real.port,
      state,
      passed,
      checks: results.length,
      ...(leftOut > 0 && { leftOut }),
      need,
      weight,
      configured,
    }
  })
}

/** Formats the results as a JSON list, each with the state of its server. */
function asJson(probed: readonly Probed[], servers: readonly ProbedServer[]): string {
  const serverOf = ({ service, real }: Probed) => {
    const found = servers.find(each => each.service === service && each.real === real)
    if (!found) return null
    const { address, state, passed, checks, leftOut, need, weight } = found
    return { address, state, passed, checks, ...(leftOut !== undefined && { leftOut }), need, weight }
  }
  return JSON.stringify(
    probed.map(each => ({ ...each, server: serverOf(each) })),
    null,
    2,
  )
}

/**
 * Returns the configuration with only the named service and real server. Throws a CommandError if one does not exist.
 */
export function chosenPart(config: Config, service: string | undefined, real: string | undefined): Config {
  if (service === undefined) return config
  const services = config.services.filter(each => isCalled(each, service, config))
  const names = config.services.map(({ name, part }) => part?.of ?? name)
  if (services.length === 0) {
    const split = real === undefined ? splitTarget(service, names) : null
    if (split) return chosenPart(config, ...split)
    throw unknownService(service, [...new Set(names)])
  }
  if (real === undefined) return { ...config, services }
  const bare = withoutBrackets(real)
  const chosen = services.map(each => ({
    ...each,
    reals: each.reals.filter(one => hostPort(one) === real || one.host === bare),
  }))
  if (chosen.some(({ reals }) => reals.length > 0)) return { ...config, services: chosen }
  const ended = services.map(each => ({ ...each, reals: realsEnding(each, real) }))
  if (ended.some(({ reals }) => reals.length > 0)) return { ...config, services: ended }
  const known = [...new Set(services.flatMap(({ reals }) => reals.map(hostPort)))]
  throw new CommandError(`"${service}" has no real server "${real}"${didYouMeanOf(real, known)}`, EXIT.usage)
}

/**
 * True if the word is the name of the service or the common name of its parts. The first part is included with any
 * part, because its checks apply to all parts.
 */
function isCalled({ name, part }: Service, word: string, { services }: Config): boolean {
  const first = services.find(each => each.name === word)?.part?.first
  return name === word || part?.of === word || name === first
}

/** Returns the real server whose address has this end, as `lvsd drain web/::3` takes it. Throws if several have it. */
function realsEnding({ name, reals }: Service, end: string): Service['reals'] {
  try {
    const found = realsNamed(end, name, [{ service: name, reals: reals.map(hostPort) }])
    return reals.filter(one => found.some(({ real }) => real === hostPort(one)))
  } catch (error) {
    if (!(error instanceof TargetError)) throw error
    if (error instanceof AmbiguousTarget) throw new CommandError(error.message, EXIT.usage)
    return []
  }
}

function unknownService(word: string, words: readonly string[]): CommandError {
  return new CommandError(`there is no service "${word}"${didYouMeanOf(word, words)}`, EXIT.usage)
}

/** Runs each job once, with at most `AT_ONCE` at a time. Returns the results by job id. */
async function runAll(
  jobs: readonly Job[],
  services: readonly ResolvedService[],
): Promise<Map<string, CheckResult>> {
  const results = new Map<string, CheckResult>()
  const waiting = [...jobs]
  const executor = openOneShot(undefined, openCheckSources(services))
  const take = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift())
      results.set(job.id, await executor.run(workOf(job), job.use.policy.timeout))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, take))
  await executor.close()
  return results
}

/** Returns a failed result for each real server whose name has no address, because it cannot be checked. */
function unresolvedReals(
  service: ResolvedService,
  troubleOf: (request: LookupRequest) => string | null,
): Probed[] {
  const lost = service.reals.filter(({ address }) => address === null)
  return lost.flatMap((real: ResolvedReal) => {
    const request = memberRequest(real, familyOfService(service))
    const trouble = request && troubleOf(request)
    return real.checks.map(({ kind }) => ({
      service: service.name,
      real: hostPort(real),
      check: kind,
      target: null,
      result: failed('name', trouble ?? 'its name has no address'),
    }))
  })
}

/** What stands for a check that is not run. */
const LEFT_OUT: Pick<Probed, 'result' | 'isLeftOut'> = {
  isLeftOut: true,
  result: {
    ...{ ok: null, reason: 'no-verdict', phase: null, ms: 0, phases: [] },
    detail: 'goes through the path of the service: needs the table of a running lvsd',
  },
}

function notRun(kind: string): CheckResult {
  return failed('error', `there is no check "${kind}"`)
}

function failed(reason: 'name' | 'error', detail: string): CheckResult {
  return { ok: false, reason, detail, phase: null, ms: 0, phases: [] }
}
