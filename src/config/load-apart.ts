/**
 * Reads a configuration in a separate thread, for the daemon. Checks continue during the read, whatever the format and
 * length of the file. A file that needs too much memory or time, or a disk that hangs, cannot block lvsd.
 */
import type { Config, Real, Service } from '../core/model.js'
import { loadNamedChecks } from '../kinds/find-kinds.js'
import { endPause, limitLateOptimizing, optimizeLater, pauseOptimizing } from '../system/late-optimizing.js'
import { readTextSoon } from '../system/read-file.js'
import { letHeapGrow } from '../system/small-heap.js'
import { deepFreeze } from '../util/deep-freeze.js'
import type { Loaded, LoadOptions } from './load.js'
import { START } from './problems/position.js'
import type { Problem } from './problems/problem.js'
import { newReport } from './problems/report.js'
import { BOUNDS, type Bounds, isSmall, KEPT_UNTIL, keepReader, type Reader, readerFor } from './reader.js'
import type { Answer, Head, Part } from './reading-thread.js'

/**
 * Reads the configuration at a start. V8 optimizes nothing meanwhile, until a while after the start. No checks run yet, so a small file is
 * read in the main thread, as soon as `loaded` is settled: a thread that reads costs more, and is not sooner. So is a
 * long one where no thread can be started: a director that does not start is worse than one that starts later. `known`: returns what
 * reading the file would give, or null if that is not known.
 */
export async function loadConfigAtStart(
  file: string,
  loaded?: Promise<unknown>,
  known?: () => Promise<Loaded | null>,
): Promise<Loaded> {
  limitLateOptimizing()
  const same = (await known?.()) ?? null
  // It reads while this one loads the rest.
  if (!same && !isSmall(file)) return loadConfigApart(file, { isAtStart: true })
  await loaded
  optimizeLater()
  return same ?? (await reading()).loadConfig(file)
}

/** What reads a configuration takes a tenth of a start to load, and many starts do not need it. */
function reading() {
  return import('./load.js')
}

/** A configuration that the caller has. Services that are the same are its objects. */
export type Known = Loaded & { readonly config: Config }

/**
 * Reads the configuration in a separate thread. Returns the same as `loadConfig`; exceeded limits become a problem. The
 * main thread takes over what differs from `known` only. Where the text is short, or differs from that of `known` in a few
 * services, it is read without the thread.
 */
export async function loadConfigApart(
  file: string,
  options: LoadOptions = {},
  bounds: Bounds = BOUNDS,
  known: Known | null = null,
): Promise<Loaded> {
  if (known && realsIn(known) > MANY) letHeapGrow()
  if (known) pauseOptimizing()
  const here = known && options.text === undefined ? await loadedHere(file, known) : null
  if (here) return here
  // The thread has a code cache, which V8 refuses with other flags.
  endPause()
  if (known) letHeapGrow()
  let thread: Reader
  try {
    thread = readerFor(bounds)
  } catch (error) {
    if (options.isAtStart) return (await reading()).loadConfig(file, options)
    return unread(file, options, `no thread can be started for it (${(error as Error).message})`)
  }
  return loadBy(thread, { file, options, bounds, known })
}

interface Reading {
  readonly file: string
  readonly options: LoadOptions
  readonly bounds: Bounds
  readonly known: Known | null
}

async function loadBy(thread: Reader, { file, options, bounds, known }: Reading): Promise<Loaded> {
  let loaded: Loaded | null = null
  try {
    const request = { file, ...options, known: known?.digests ?? new Map() }
    const read = await received(thread.asking(request, bounds.patience), known)
    loaded = { ...read, text: options.text ?? read.text }
    return loaded
  } catch (error) {
    return unread(file, options, whyEnded(error as NodeJS.ErrnoException, bounds))
  } finally {
    if (loaded && loaded.text.length <= KEPT_UNTIL && bounds === BOUNDS) keepReader(thread)
    else thread.end()
  }
}

async function unread(file: string, { text = '' }: LoadOptions, why: string): Promise<Loaded> {
  const { nothing } = await reading()
  const report = newReport(file)
  report.error('TOO_COSTLY', START, `the file cannot be read: ${why}`)
  return nothing(text, report.problems())
}

/** Limits of a text that is read as a whole in the main thread, in some 20 milliseconds: characters, and real servers before. */
const SHORT = 16_384
const FEW = 500
/**
 * Real servers from which on the heap may grow for each reload, which takes half the processor time then. With fewer it would
 * hold half as much memory again afterwards, for a reload that makes little.
 */
const MANY = 2000

/** Returns null if the thread has to read the file, or cannot read it either, which it reports. */
async function loadedHere(file: string, known: Known): Promise<Loaded | null> {
  if (!known.reuse) return null
  const text = await readTextSoon(file).catch(() => null)
  if (text === null) return null
  const { loadChanged, loadWithoutFiles } = await import('./load-changed.js')
  const changed = await loadChanged(file, text, known)
  return changed ?? (isShort(text, known) ? loadWithoutFiles(file, { text }) : null)
}

/** A few lines may stand for many values, by aliases of YAML. Ranges of servers are bounded by `loadWithoutFiles`. */
function isShort(text: string, { config }: Known): boolean {
  if (text.length > SHORT || /[&*]\w/.test(text)) return false
  return realsIn({ config }) <= FEW
}

function realsIn({ config: { services } }: Pick<Known, 'config'>): number {
  return services.reduce((sum, { reals }) => sum + reals.length, 0)
}

async function received(next: () => Promise<Answer>, known: Known | null): Promise<Loaded> {
  const first = await next()
  if (!('head' in first)) throw new Error('its thread answers in disorder')
  const { config, hidden, kinds, ...head }: Head = first.head
  const loading = loadNamedChecks(config?.settings.checks ?? [], new Set(kinds))
  const naming = import('./secrets.js')
  const [{ checks }, parts, { secretNames }] = await Promise.all([loading, takenOver(next, known), naming])
  const { services, problems } = parts
  const hiding = { isSecret: secretNames(checks), hidden }
  return {
    ...head,
    checks,
    problems,
    hiding,
    config: config && (deepFreeze({ ...config, services: deepFreeze(services) }) as Config),
  }
}

async function takenOver(
  next: () => Promise<Answer>,
  known: Known | null,
): Promise<{ services: Service[]; problems: Problem[] }> {
  const before = new Map(known?.config.services.map(service => [service.name, service]))
  const services: (Service & { reals: Real[] })[] = []
  const problems: Problem[] = []
  const take = (part: Part) => {
    if (part.kind === 'problems') problems.push(...part.problems)
    else if (part.kind === 'same') services.push(sameAs(before.get(part.name)))
    else if (part.kind === 'service') services.push({ ...part.service, reals: [] })
    else services.at(-1)?.reals.push(...deepFreeze(part.reals))
  }
  for (let answer = await next(); !('isAll' in answer); answer = await next())
    if ('parts' in answer) for (const part of answer.parts) take(part)
  for (const service of services) deepFreeze(service)
  return { services, problems }
}

function sameAs(service: Service | undefined): Service & { reals: Real[] } {
  if (!service) throw new Error('its thread names a service that nobody has')
  return service as Service & { reals: Real[] }
}

function whyEnded({ code, message }: NodeJS.ErrnoException, { memory }: Bounds): string {
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it takes more than ${memory} MiB of memory` : message
}
