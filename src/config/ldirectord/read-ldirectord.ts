/** An ldirectord.cf to the raw tree, in the shape of our own configuration. */
import { hostname } from 'node:os'
import type { Check } from '../../check/check.js'
import { type PortLookup, systemPorts } from '../ports.js'
import type { RawDocument } from '../raw.js'
import { type IsSecretName, secretNames } from '../secrets.js'
import { readValues } from './directives.js'
import { readGlobalFallbacks } from './fallbacks.js'
import { type Comment, splitLines } from './lines.js'
import { createReport, type Report } from './report.js'
import { readSections, type Sections } from './sections.js'
import { defaultsEntry, readService, type ServiceContext, settingsEntry } from './services.js'
import { BEGINNING, type Entry, entry, map } from './tree.js'

export interface LdirectordContext {
  /** The checks there are, by name and alias. */
  readonly checks: ReadonlyMap<string, Check>
  readonly ports?: PortLookup
  readonly hostname?: string
  /** Problems that are kept; without it those that a person may read. */
  readonly mostProblems?: number
}

export interface LdirectordDocument extends RawDocument {
  readonly comments: readonly Comment[]
  /** The lines in which a virtual begins. */
  readonly heads: readonly number[]
  readonly isSecret: IsSecretName
}

/** Reads an ldirectord.cf. Never throws: what is wrong, and what has another meaning here, is in `problems`. */
export function readLdirectord(text: string, file: string, context: LdirectordContext): LdirectordDocument {
  const report = createReport(file, context.mostProblems)
  const lines = splitLines(text, report)
  const sections = readSections(lines, report)
  const root = map(rootEntries(sections, report, context), BEGINNING)
  const heads = sections.virtuals.map(({ head }) => head.keyAt.line)
  return {
    root,
    problems: report.problems(),
    comments: lines.comments,
    heads,
    isSecret: secretNames(context.checks),
  }
}

function rootEntries({ globals, virtuals }: Sections, report: Report, context: LdirectordContext): Entry[] {
  const ports = context.ports ?? systemPorts()
  const values = readValues(globals, false, report)
  const service = {
    checks: context.checks,
    ports,
    hostname: context.hostname ?? hostname(),
    report,
    globals: { values, fallback: readGlobalFallbacks(globals, { report, ports }) },
  }
  const services = sectionsToEntries(virtuals, service)
  const at = virtuals[0]?.head.keyAt ?? BEGINNING
  const settings = settingsEntry(values)
  return [...(settings ? [settings] : []), defaultsEntry(values), entry('services', map(services, at), at)]
}

/** The services, each once and each with a name of its own. */
function sectionsToEntries(virtuals: Sections['virtuals'], context: ServiceContext): Entry[] {
  const lines = new Map<string, number>()
  const entries = new Map<string, Entry>()
  for (const section of virtuals) {
    const found = readService(section, context)
    if (!found) continue
    const { id, at } = found.read
    const before = lines.get(id)
    if (before !== undefined)
      context.report.error('DUPLICATE_VIRTUAL', at, `${id} stands in line ${before} already`)
    else {
      lines.set(id, at.line)
      const name = entries.has(found.entry.key) ? id : found.entry.key
      entries.set(name, { ...found.entry, key: name })
    }
  }
  return [...entries.values()]
}
