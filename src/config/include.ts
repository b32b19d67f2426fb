/** Expands `include:`: adds the services, settings, sysctls and receivers of alerts of further files to the document. */
import { realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { MAX_BYTES, readText } from '../system/read-file.js'
import { isEmpty } from './format.js'
import { MOST_FILES, matching } from './matching.js'
import { folderOf } from './paths.js'
import { START } from './problems/position.js'
import { lineOf, type Problem } from './problems/problem.js'
import { newReport, type Report } from './problems/report.js'
import type { RawDocument, RawEntry, RawMap, RawNode } from './raw.js'
import { rootFields } from './schema/schema.js'
import { readYaml } from './yaml/read-yaml.js'

/** A file that was read, with its text. */
export interface Source {
  readonly path: string
  readonly text: string
}

export interface Expanded {
  readonly document: RawDocument
  /** The included files in the order in which they were read, without the main file. */
  readonly included: readonly Source[]
  /** Values of `include` as absolute paths. A file that matches one later is also part of the configuration. */
  readonly patterns: readonly string[]
}

/** Returns the document with everything that it includes; with `within`, only from that folder. A problem in an included file has the name of that file. */
export function expandIncludes(
  document: RawDocument,
  file: string,
  text: string,
  within: string | null = null,
): Expanded {
  const reader = new Including(file, text, within)
  if (document.root) reader.read(document.root, file, [realPath(file)])
  const root = document.root && reader.merged(document.root)
  const problems = [...document.problems, ...reader.problems]
  return {
    document: { ...document, root, problems, ...(reader.defaults.size > 0 && { defaults: reader.defaults }) },
    included: reader.sources,
    patterns: reader.patterns,
  }
}

/** True if the document names further files, whether or not they can be included. */
export function hasIncludes({ root }: RawDocument): boolean {
  return root?.entries.some(({ key }) => key === 'include') ?? false
}

class Including {
  readonly sources: Source[] = []
  readonly patterns: string[] = []
  /** `defaults` of each included file that has them, by file. */
  readonly defaults = new Map<string, readonly RawEntry[]>()
  readonly #report: Report
  readonly #foreign: Problem[] = []
  readonly #parts: RawMap[] = []
  readonly #done = new Set<string>()
  readonly #root: string
  readonly #within: string | null
  #bytes: number

  constructor(file: string, text: string, within: string | null) {
    this.#within = within && realPath(within)
    this.#report = newReport(file)
    this.#root = file
    this.#bytes = Buffer.byteLength(text)
    this.#done.add(realPath(file))
  }

  get problems(): readonly Problem[] {
    return [...this.#report.problems(), ...this.#foreign]
  }

  /** Reads the files that `root` includes. `above`: the chain of including files; the last one is `file` itself. */
  read(root: RawMap, file: string, above: readonly string[]): void {
    const entry = root.entries.find(({ key }) => key === 'include')
    const nodes = entry === undefined ? [] : entry.value.kind === 'list' ? entry.value.items : [entry.value]
    for (const node of nodes)
      if (node.kind === 'scalar' && typeof node.value === 'string' && node.value !== '')
        this.#pattern(node.value, node, file, above)
  }

  #pattern(pattern: string, node: RawNode, file: string, above: readonly string[]): void {
    const base = file === this.#root ? folderOf(file) : dirname(resolve(file))
    this.patterns.push(resolve(base, pattern))
    if (!this.#isWithin(resolve(base, pattern))) {
      const message = `${pattern} is not included: this configuration may include only files in ${this.#within}`
      this.#report.error('BAD_INCLUDE', node.at, message)
      return
    }
    const isGlob = /[*?[]/.test(pattern)
    const found = isGlob ? matching(base, pattern) : [pattern]
    for (const path of found) {
      const shown = pattern.startsWith('/') ? path : join(dirname(file), path)
      const real = realPath(resolve(base, path))
      if (!this.#isWithin(real)) continue
      if (above.includes(real)) {
        // A pattern may match the file that contains it, so this is an error only for a plain path.
        if (!isGlob)
          this.#report.error('INCLUDE_LOOP', node.at, `${path} includes itself: ${chain(above, real)}`)
      } else if (!this.#done.has(real)) {
        this.#done.add(real)
        this.#file(shown, resolve(base, path), node, [...above, real])
      }
    }
  }

  #isWithin(path: string): boolean {
    return this.#within === null || path.startsWith(`${this.#within}/`)
  }

  #file(shown: string, path: string, node: RawNode, above: readonly string[]): void {
    const why = this.#refusal(shown)
    if (why !== null) {
      this.#report.error('BAD_INCLUDE', node.at, `${shown} is not included: ${why}`)
      return
    }
    let text: string
    try {
      text = readText(path)
    } catch (error) {
      this.#report.error('BAD_INCLUDE', node.at, `${path} cannot be included: ${(error as Error).message}`)
      return
    }
    this.#bytes += Buffer.byteLength(text)
    this.sources.push({ path: shown, text })
    const root = this.#parsed(text, shown)
    if (!root) return
    this.#parts.push(root)
    this.#tellMisplaced(root)
    const defaults = root.entries.find(({ key }) => key === 'defaults')
    if (defaults) this.#takeDefaults(defaults, shown)
    this.read(root, shown, above)
  }

  #parsed(text: string, file: string): RawMap | null {
    const read = isEmpty(text) ? null : readYaml(text, file, { isIncluded: true })
    if (!read || read.problems.some(({ code }) => code === 'EMPTY')) this.#tellEmpty(file, text)
    else for (const problem of read.problems) this.#foreign.push(problem)
    return read?.root ?? null
  }

  /** A file of which only comments are left was probably written so by somebody, or waits for its first service. */
  #tellEmpty(file: string, text: string): void {
    const report = newReport(file)
    const tell = text.includes('#') ? report.note : report.warn
    const what = text.includes('#') ? 'the file holds only comments' : 'the file is empty'
    tell('EMPTY_INCLUDE', { ...START, file }, `${what}: it adds nothing to the configuration`)
    this.#foreign.push(...report.problems())
  }

  #tellMisplaced({ entries }: RawMap): void {
    for (const { key, keyAt } of entries)
      if (KNOWN.has(key) && !PARTS.has(key))
        this.#report.error(
          'UNKNOWN_KEY',
          keyAt,
          `"${key}" has no effect in an included file; move it to ${this.#root}`,
        )
  }

  #refusal(path: string): string | null {
    if (/\.cf$/i.test(path)) return 'it is an ldirectord.cf; lvsd import turns it into YAML'
    if (this.sources.length >= MOST_FILES) return `there are more than ${MOST_FILES} files already`
    return this.#bytes > MAX_BYTES ? 'all files together have more than 16 MiB' : null
  }

  #takeDefaults({ value, keyAt }: RawEntry, file: string): void {
    if (value.kind === 'map') this.defaults.set(file, value.entries)
    else this.#report.error('WRONG_TYPE', keyAt, '"defaults" must be a mapping of defaults')
  }

  /**
   * Returns the tree with the services and settings of all files. Unknown keys of included files are kept, so that they
   * are reported.
   */
  merged(root: RawMap): RawMap {
    if (this.#parts.length === 0) return root
    const all = [root, ...this.#parts]
    const rest = this.#parts.flatMap(part =>
      part.entries.filter(({ key }) => !KNOWN.has(key) && !key.startsWith('x-')),
    )
    const own = root.entries.filter(({ key }) => !JOINED.includes(key))
    const joined = JOINED.flatMap(key => this.#joined(key, all) ?? [])
    return { ...root, entries: [...own, ...joined, ...rest] }
  }

  #joined(key: string, roots: readonly RawMap[]): RawEntry | null {
    const found = roots.flatMap(root => root.entries.find(entry => entry.key === key) ?? [])
    const [first] = found
    if (!first || found.length === 1) return first ?? null
    const entries: RawEntry[] = []
    for (const one of found) {
      if (one.value.kind === 'map') for (const entry of one.value.entries) entries.push(entry)
      else this.#report.error('WRONG_TYPE', one.keyAt, `"${key}" must be a mapping`)
    }
    if (key !== 'services') this.#judgeTwice(entries)
    return { ...first, value: { kind: 'map', entries, at: first.value.at } }
  }

  #judgeTwice(entries: readonly RawEntry[]): void {
    const first = new Map<string, RawEntry>()
    for (const entry of entries) {
      const before = first.get(entry.key)
      if (!before) first.set(entry.key, entry)
      else
        this.#report.error(
          'DUPLICATE_KEY',
          entry.keyAt,
          `"${entry.key}" is set twice; the first is in ${lineOf(before.keyAt, entry.keyAt, this.#root)}`,
        )
    }
  }
}

/** Parts of the file that included files add to. */
const JOINED = ['settings', 'sysctls', 'alerts', 'services']

/** Keys that the top level of a file may have. */
const KNOWN: ReadonlySet<string> = new Set(Object.keys(rootFields))

/** Those of an included file. */
const PARTS: ReadonlySet<string> = new Set([...JOINED, 'defaults', 'include'])

function chain(above: readonly string[], again: string): string {
  return [...above.slice(above.indexOf(again)), again].join(' → ')
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}
