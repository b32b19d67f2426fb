/**
 * Reads a text of which most is known: the services whose text has changed, and what is not below `services`. The
 * result is that of reading all of it, or none. A reload of one change among thousands of servers costs as little as
 * that change.
 */
import type { Check } from '../check/check.js'
import type { Config, Service } from '../core/model.js'
import { type Digests, type Loaded, type LoadOptions, loadConfig } from './load.js'
import { NeedsFiles } from './validate/outside.js'
import { MAX_NODES } from './yaml/read-yaml.js'
import { type ServiceBlocks, serviceBlocks } from './yaml/service-blocks.js'

/** Limit of what is read here, in characters. A thread reads more than that. */
const MOST = 32_768

export type KnownText = Loaded & { readonly config: Config }

/**
 * Returns the configuration of `text`, without problems. Services whose text is the same are the objects of `known`.
 * Returns null if the text has to be read as a whole: if it cannot be split, differs in too much, names files or programs
 * that have to be looked at, or has problems, whose positions are those in the whole text.
 */
export async function loadChanged(file: string, text: string, known: KnownText): Promise<Loaded | null> {
  const { reuse } = known
  const [before, now] = [reuse && serviceBlocks(known.text), reuse && serviceBlocks(text)]
  if (!reuse || !before || !now || before.head !== now.head || before.tail !== now.tail) return null
  const keys = [...now.blocks.keys()]
  const isKept = (key: string) => reuse.plain.has(key) && before.blocks.get(key) === now.blocks.get(key)
  const changed = keys.filter(key => !isKept(key))
  // A part `services` without a service would be a problem.
  const reread = new Set(changed.length > 0 ? changed : keys.slice(0, 1))
  const part = textOf(now, reread)
  if (reread.size === keys.length || part.length > MOST) return null
  const services = servicesOf(known.config.services)
  const others = keys.filter(key => !reread.has(key)).flatMap(key => services.get(key) ?? [])
  const read = await withoutFiles(file, { text: part, others })
  if (!read) return null
  const again = servicesOf(read.config?.services ?? [])
  const isAsAsked = again.size === reread.size && [...again.keys()].every(key => reread.has(key))
  if (!read.config || read.problems.length > 0 || !read.reuse || !isAsAsked) return null
  const values = reuse.values + read.reuse.values
  if (values > MAX_NODES) return null
  const merged = keys.flatMap(key => (reread.has(key) ? again : services).get(key) ?? [])
  const { plain } = read.reuse
  return {
    ...read,
    text,
    config: Object.freeze({ ...read.config, services: Object.freeze(merged) }),
    checks: together(known.checks, read.checks),
    reuse: { plain: new Set(keys.filter(key => (reread.has(key) ? plain : reuse.plain).has(key))), values },
    digests: digestsOf(others, known),
  }
}

/** Returns null where a file has to be looked at: a file server that hangs would block the caller. A thread does that. */
async function withoutFiles(file: string, options: LoadOptions): Promise<Loaded | null> {
  try {
    return await loadConfig(file, { ...options, isWithoutFiles: true })
  } catch (error) {
    if (error instanceof NeedsFiles) return null
    throw error
  }
}

function textOf({ head, blocks, tail }: ServiceBlocks, keys: ReadonlySet<string>): string {
  const some = [...blocks].flatMap(([key, block]) => (keys.has(key) ? [ended(block)] : []))
  return `${head}${some.join('')}${tail}`
}

/** The last line of a file may have no end. */
function ended(block: string): string {
  return block.endsWith('\n') ? block : `${block}\n`
}

/** Returns the services by the key that they have in the file: one with several protocols or ports is several. */
function servicesOf(services: readonly Service[]): ReadonlyMap<string, readonly Service[]> {
  const all = new Map<string, Service[]>()
  for (const service of services) {
    const key = service.part?.of ?? service.name
    const list = all.get(key)
    if (list) list.push(service)
    else all.set(key, [service])
  }
  return all
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
