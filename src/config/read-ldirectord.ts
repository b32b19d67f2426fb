/** An ldirectord.cf to the raw tree, in the shape of our own configuration. */
import { hostname } from 'node:os'
import type { Check } from '../check.js'
import { readValues } from './ldirectord/directives.js'
import { readGlobalFallbacks } from './ldirectord/fallbacks.js'
import { type Comment, splitLines } from './ldirectord/lines.js'
import { createReport, type Report } from './ldirectord/report.js'
import { readSections, type Sections } from './ldirectord/sections.js'
import { defaultsEntry, readService } from './ldirectord/services.js'
import { type Entry, entry, map } from './ldirectord/tree.js'
import { type PortLookup, systemPorts } from './ports.js'
import type { RawDocument } from './raw.js'

export interface LdirectordContext {
  /** The checks there are, by name and alias. */
  readonly checks: ReadonlyMap<string, Check>
  readonly ports?: PortLookup
  readonly hostname?: string
}

export interface LdirectordDocument extends RawDocument {
  readonly comments: readonly Comment[]
}

/** Reads an ldirectord.cf. Never throws: what is wrong, and what has another meaning here, is in `problems`. */
export function readLdirectord(text: string, file: string, context: LdirectordContext): LdirectordDocument {
  const report = createReport(file)
  const lines = splitLines(text, report)
  const sections = readSections(lines, report)
  const root = map(rootEntries(sections, report, context), { line: 1, column: 1, length: 1 })
  return { root, problems: report.problems(), comments: lines.comments }
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
  const services = new Map<string, Entry>()
  for (const section of virtuals) {
    const found = readService(section, service)
    if (!found) continue
    const before = services.get(found.read.id)
    if (before)
      report.error(
        'DUPLICATE_VIRTUAL',
        found.read.at,
        `${found.read.id} stands in line ${before.keyAt.line} already`,
      )
    else services.set(found.read.id, found.entry)
  }
  const at = virtuals[0]?.head.keyAt ?? { line: 1, column: 1, length: 1 }
  return [defaultsEntry(values), entry('services', map([...services.values()], at), at)]
}
