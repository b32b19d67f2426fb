/**
 * Reads a text of which most is known: the services whose text has changed, and what is not below `services`. The
 * result is that of reading all of it, or none. A reload of one change among thousands of servers costs as little as
 * that change.
 */
import { setImmediate } from 'node:timers/promises'
import type { Check } from '../check/check.js'
import type { Config, Service } from '../core/model.js'
import { findChangedReals, withReals } from './changed-reals.js'
import { formatOf } from './format.js'
import { areRangesSmall } from './ldirectord/range-size.js'
import { virtualBlocks } from './ldirectord/virtual-blocks.js'
import { type Digests, type Loaded, type LoadOptions, loadConfig } from './load.js'
import { movedProblems, type Told } from './moved-problems.js'
import { type Group, groupsOf } from './service-groups.js'
import type { TextBlock, TextBlocks } from './text-blocks.js'
import { NeedsFiles } from './validate/outside.js'
import { MAX_NODES } from './yaml/read-yaml.js'
import { serviceBlocks } from './yaml/service-blocks.js'

/** Limit of what is read here, in characters. A thread reads more than that. */
const MOST = 32_768
/** Limit of real servers that ranges in it stand for. */
const MOST_IN_RANGES = 500

export type KnownText = Loaded & { readonly config: Config }

/**
 * Returns the configuration of `text`. Services whose text is the same are the objects of `known`. Returns null if the text
 * has to be read as a whole: if it cannot be split, differs in too much, names files or programs that have to be looked
 * at, or has problems whose places are not known without the whole text.
 */
export async function loadChanged(file: string, text: string, known: KnownText): Promise<Loaded | null> {
  const split = splitterOf(file, text, known)
  const now = split?.(text)
  if (!split || !now) return null
  // With thousands of servers each of these takes ten milliseconds.
  await setImmediate()
  const before = blocksOf(known.text, split)
  await setImmediate()
  if (!before || before.head !== now.head || before.tail !== now.tail) return null
  lastSplit = { text, split, blocks: now }
  const inReals = split === serviceBlocks ? await loadChangedReals(file, { text, before, now, known }) : null
  if (inReals) return inReals
  const plan = planOf(before, now, known)
  if (!plan) return null
  const read = await loadWithoutFiles(file, { text: textOf(now, plan.reread), others: plan.others })
  return read && merged({ text, before, now, plan, known, read })
}

type Splitter = (text: string) => TextBlocks | null

/** The last text that was split: the next reload compares with it, if it was accepted. */
let lastSplit: { readonly text: string; readonly split: Splitter; readonly blocks: TextBlocks } | null = null

function blocksOf(text: string, split: Splitter): TextBlocks | null {
  return lastSplit?.text === text && lastSplit.split === split ? lastSplit.blocks : split(text)
}

/** Both texts are to have one format, which may follow from the text. */
function splitterOf(file: string, text: string, known: KnownText): Splitter | null {
  const format = formatOf(file, text)
  if (!known.reuse || format !== formatOf(file, known.text)) return null
  return format === 'ldirectord' ? virtualBlocks : serviceBlocks
}

/** Returns null if a whole service has to be read, or more. */
async function loadChangedReals(
  file: string,
  { text, before, now, known }: Omit<Reading, 'plan' | 'read'>,
): Promise<Loaded | null> {
  const { services } = known.config
  const isPlain = (key: string) => known.reuse?.plain.has(key) ?? false
  const found = findChangedReals(before, now, groupsOf(services), isPlain)
  if (!found || now.head.length + found.text.length + now.tail.length > MOST) return null
  const others = services.filter(service => service !== found.service)
  const read = await loadWithoutFiles(file, { text: `${now.head}${ended(found.text)}${now.tail}`, others })
  const service = read && withReals(found, read)
  if (!service || !read.config || !read.reuse || !known.reuse) return null
  const values = known.reuse.values + read.reuse.values
  if (!read.reuse.plain.has(service.name) || values > MAX_NODES) return null
  const all = services.map(one => (one === found.service ? service : one))
  return {
    ...read,
    text,
    config: Object.freeze({ ...read.config, services: Object.freeze(all) }),
    checks: together(known.checks, read.checks),
    reuse: { ...read.reuse, ...known.reuse, values, isWhole: known.reuse.isWhole && read.reuse.isWhole },
    digests: digestsOf(others, known),
  }
}

interface Plan {
  /** The services of each block that stays, by its text. */
  readonly kept: ReadonlyMap<string, Group>
  readonly reread: readonly TextBlock[]
  readonly others: readonly Service[]
}

function planOf(before: TextBlocks, now: TextBlocks, { config, reuse }: KnownText): Plan | null {
  const groups = groupsOf(config.services)
  if (groups.length !== before.blocks.length) return null
  const kept = new Map<string, Group>()
  for (const [i, { key, text }] of before.blocks.entries()) {
    const group = groups[i]
    if (!group || (key !== null && key !== group.key)) return null
    if (reuse?.plain.has(group.key)) kept.set(text, group)
  }
  // What ends a text may be read in another way.
  const last = now.blocks.at(-1)
  if (last && last.text !== before.blocks.at(-1)?.text) kept.delete(last.text)
  const changed = now.blocks.filter(({ text }) => !kept.has(text))
  // A part `services` without a service would be a problem.
  const reread = changed.length > 0 ? changed : now.blocks.slice(0, 1)
  const length = reread.reduce((sum, block) => sum + block.text.length, now.head.length + now.tail.length)
  if (reread.length === now.blocks.length || length > MOST) return null
  for (const { text } of reread) kept.delete(text)
  const others = now.blocks.flatMap(({ text }) => kept.get(text)?.services ?? [])
  return { kept, reread, others }
}

interface Reading {
  readonly text: string
  readonly before: TextBlocks
  readonly now: TextBlocks
  readonly plan: Plan
  readonly known: KnownText
  readonly read: Loaded
}

/** Returns null if what was read again does not have the place of what is reread. */
function merged({ text, before, now, plan, known, read }: Reading): Loaded | null {
  const { kept, reread, others } = plan
  const { config, reuse } = read
  if (!config || !reuse || !known.reuse || reuse.hostname !== known.reuse.hostname) return null
  const told = movedProblems(now, toldBy(before, known), toldBy({ ...now, blocks: reread }, read))
  if (!told) return null
  const again = groupsOf(config.services)
  const values = known.reuse.values + reuse.values
  const isAsAsked = reread.every(({ key }, i) => again[i] && (key === null || key === again[i].key))
  if (again.length !== reread.length || !isAsAsked || values > MAX_NODES) return null
  const fresh = new Map(reread.map((block, i) => [block, again[i]]))
  const groups = now.blocks.flatMap(block => fresh.get(block) ?? kept.get(block.text) ?? [])
  const rereadKeys = new Set(again.map(({ key }) => key))
  const isPlain = ({ key }: Group) => !rereadKeys.has(key) || reuse.plain.has(key)
  // Two blocks of one text are two services of one name.
  if (new Set(groups.map(({ key }) => key)).size < now.blocks.length) return null
  return {
    ...read,
    text,
    config: Object.freeze({ ...config, services: Object.freeze(groups.flatMap(({ services }) => services)) }),
    checks: together(known.checks, read.checks),
    problems: told.problems,
    ...(read.hiding && { hiding: { ...read.hiding, hidden: told.hidden } }),
    reuse: {
      ...reuse,
      plain: new Set(groups.filter(isPlain).map(({ key }) => key)),
      values,
      isWhole: reuse.isWhole && known.reuse.isWhole,
    },
    digests: digestsOf(others, known),
  }
}

function toldBy(blocks: TextBlocks, { problems, hiding }: Loaded): Told {
  return { blocks, problems, hidden: hiding?.hidden ?? [] }
}

/**
 * Returns null where a file has to be looked at, since a file server that hangs would block the caller, and where a few lines may
 * stand for many real servers. A thread does that.
 */
export async function loadWithoutFiles(
  file: string,
  options: LoadOptions & { readonly text: string },
): Promise<Loaded | null> {
  if (formatOf(file, options.text) === 'ldirectord' && !areRangesSmall(options.text, MOST_IN_RANGES))
    return null
  try {
    return await loadConfig(file, { ...options, isWithoutFiles: true })
  } catch (error) {
    if (error instanceof NeedsFiles) return null
    throw error
  }
}

function textOf({ head, tail }: TextBlocks, blocks: readonly TextBlock[]): string {
  return `${head}${blocks.map(({ text }) => ended(text)).join('')}${tail}`
}

/** The last line of a file may have no end. */
function ended(block: string): string {
  return block.endsWith('\n') ? block : `${block}\n`
}

function digestsOf(services: readonly Service[], { digests = new Map() }: Loaded): Digests {
  const known = services.flatMap(({ name }) => {
    const digest = digests.get(name)
    return digest === undefined ? [] : [[name, digest] as const]
  })
  return new Map(known)
}

function together(known: Loaded['checks'], read: Loaded['checks']): ReadonlyMap<string, Check> {
  return [...read].every(([name, check]) => known.get(name) === check) ? known : new Map([...known, ...read])
}
