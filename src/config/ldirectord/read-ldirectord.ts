/** Reads an ldirectord.cf into the raw tree, in the structure of lvsd's own configuration. */
import { hostname as osHostname } from 'node:os'
import type { Check } from '../../check/check.js'
import { runSync, type Sliced } from '../../util/time-slice.js'
import { type PortLookup, systemPorts } from '../ports.js'
import { newReport, type Report } from '../problems/report.js'
import type { RawDocument } from '../raw.js'
import type { IsSecretName } from '../secret-text.js'
import { secretNames } from '../secrets.js'
import { readGlobalFallbacks } from './fallbacks.js'
import { type Comment, splittingLines } from './lines.js'
import { globalEntries, serviceEntry } from './map-directives.js'
import { readValues } from './read-directives.js'
import { readingVirtual, type VirtualContext } from './read-virtual.js'
import { readSections, type Sections } from './sections.js'
import { BEGINNING, type Entry, entry, map } from './tree.js'

export interface LdirectordContext {
  /** Kinds of check by name and alias. */
  readonly checks: ReadonlyMap<string, Check>
  readonly ports?: PortLookup
  readonly hostname?: string
  /** Limit of problems. Default: `MOST_PROBLEMS`, the limit for people. */
  readonly mostProblems?: number
}

export interface LdirectordDocument extends RawDocument {
  readonly comments: readonly Comment[]
  /** Lines of the virtuals. */
  readonly heads: readonly number[]
  readonly isSecret: IsSecretName
  /** The name of this machine, from which default logins are made. */
  readonly hostname: string
  readonly origins: Origins
}

/** What services follow from beside the global part and their own lines. */
export interface Origins {
  /** Names of the services with names of ports, which this machine knows. */
  readonly asking: ReadonlySet<string>
  /** True if a service has another name than its lines say, because an earlier one has that. */
  readonly isRenamed: boolean
}

/** Reads an ldirectord.cf. Never throws: errors, and lines with another meaning in lvsd, are in `problems`. */
export function readLdirectord(text: string, file: string, context: LdirectordContext): LdirectordDocument {
  return runSync(readingLdirectord(text, file, context))
}

/** Same as `readLdirectord`, in time slices. */
export function* readingLdirectord(
  text: string,
  file: string,
  context: LdirectordContext,
): Sliced<LdirectordDocument> {
  const report = newReport(file, { once: false, most: context.mostProblems })
  const lines = yield* splittingLines(text, report)
  const sections = readSections(lines, report)
  yield
  const { hostname = osHostname() } = context
  const { entries, origins } = yield* rootEntries(sections, report, { ...context, hostname })
  const root = map(entries, BEGINNING)
  const heads = sections.virtuals.map(({ head }) => head.keyAt.line)
  return {
    root,
    problems: report.problems(),
    comments: lines.comments,
    heads,
    isSecret: secretNames(context.checks),
    hostname,
    origins,
  }
}

function* rootEntries(
  { globals, virtuals }: Sections,
  report: Report,
  context: LdirectordContext & { readonly hostname: string },
) {
  const { checks, hostname } = context
  const asked = new AskedPorts(context.ports ?? systemPorts())
  const { ports } = asked
  const own = readValues(globals, false, report)
  const fallbacks = readGlobalFallbacks(globals, { report, ports })
  const shared = { checks, ports, hostname, report, globals: own, fallbacks }
  const { services, origins } = yield* serviceEntries(virtuals, shared, asked)
  const at = virtuals[0]?.head.keyAt ?? BEGINNING
  const part = { scope: 'global', own, globals: own, at: BEGINNING, report } as const
  return { entries: [...globalEntries(part), entry('services', map(services, at), at)], origins }
}

/** Notes whether a port was looked up by its name. */
class AskedPorts {
  count = 0
  readonly ports: PortLookup

  constructor(ports: PortLookup) {
    this.ports = (...asked) => {
      this.count++
      return ports(...asked)
    }
  }
}

/** Returns the services, each once and with a unique name. */
function* serviceEntries(virtuals: Sections['virtuals'], context: VirtualContext, asked: AskedPorts) {
  const lines = new Map<string, number>()
  const entries = new Map<string, Entry>()
  const asking = new Set<string>()
  let isRenamed = false
  // All services follow from the global part.
  const areAllAsking = asked.count > 0
  for (const section of virtuals) {
    const { count } = asked
    const virtual = yield* readingVirtual(section, context)
    if (!virtual) continue
    const { id, at } = virtual
    yield
    const service = serviceEntry(virtual)
    yield
    const before = lines.get(id)
    if (before !== undefined)
      context.report.error('DUPLICATE_VIRTUAL', at, `${id} stands in line ${before} already`)
    else {
      lines.set(id, at.line)
      const name = entries.has(service.key) ? id : service.key
      isRenamed ||= name !== service.key
      if (areAllAsking || asked.count > count) asking.add(name)
      entries.set(name, { ...service, key: name })
    }
  }
  return { services: [...entries.values()], origins: { asking, isRenamed } }
}
