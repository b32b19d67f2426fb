/**
 * Thread that reads configurations. The thread that opened it ends it, which frees its memory. The result is sent in
 * parts, each on request, so that receiving it never blocks the opener.
 */
import { createHash } from 'node:crypto'
import { serialize } from 'node:v8'
import { parentPort } from 'node:worker_threads'
import type { Config, Real } from '../core/model.js'
import { optimizeLater } from '../system/late-optimizing.js'
import { type Digests, type Loaded, type LoadOptions, loadConfig } from './load.js'
import type { Problem } from './problems/problem.js'

/** First message of the result. */
export interface Head extends Pick<Loaded, 'text' | 'included' | 'patterns' | 'reuse'> {
  readonly config: Omit<Config, 'services'> | null
  readonly hidden: NonNullable<Loaded['hiding']>['hidden']
  /** The names of the kinds that were loaded. */
  readonly kinds: readonly string[]
  readonly digests: Digests
}

/**
 * The name of a service that the opener has, a service without its real servers, real servers of the service that was
 * sent last, or problems.
 */
export type Part =
  | { readonly kind: 'same'; readonly name: string }
  | { readonly kind: 'service'; readonly service: Config['services'][number] }
  | { readonly kind: 'reals'; readonly reals: readonly Real[] }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] }

export type Answer = { readonly head: Head } | { readonly parts: readonly Part[] } | { readonly isAll: true }

/** Limit of services, real servers and problems in one message. */
const AT_ONCE = 200

function* partsOf(
  { config, problems }: Pick<Loaded, 'config' | 'problems'>,
  digests: Digests,
  known: Digests,
): Generator<Part> {
  for (let at = 0; at < problems.length; at += AT_ONCE)
    yield { kind: 'problems', problems: problems.slice(at, at + AT_ONCE) }
  for (const service of config?.services ?? []) {
    if (known.get(service.name) === digests.get(service.name)) {
      yield { kind: 'same', name: service.name }
      continue
    }
    yield { kind: 'service', service: { ...service, reals: [] } }
    for (let at = 0; at < service.reals.length; at += AT_ONCE)
      yield { kind: 'reals', reals: service.reals.slice(at, at + AT_ONCE) }
  }
}

function weightOf(part: Part): number {
  if (part.kind === 'service' || part.kind === 'same') return 1
  return part.kind === 'reals' ? part.reals.length : part.problems.length
}

function digestsOf({ config }: Pick<Loaded, 'config'>): Digests {
  return new Map(
    (config?.services ?? []).map(service => [
      service.name,
      createHash('sha256').update(serialize(service)).digest('base64'),
    ]),
  )
}

/**
 * Yields the messages: the head, then parts with at most `AT_ONCE` items per message, then the end. `known`: digests of
 * the services that need not be sent.
 */
function* messagesOf(loaded: Loaded, known: Digests): Generator<Answer> {
  const digests = digestsOf(loaded)
  const { text, included, patterns, reuse, config, hiding, checks } = loaded
  const { services: _, ...rest } = config ?? { services: [] }
  yield {
    head: {
      text,
      ...(included && { included }),
      ...(patterns && { patterns }),
      ...(reuse && { reuse }),
      config: config && (rest as Head['config']),
      hidden: hiding?.hidden ?? [],
      kinds: [...checks.keys()],
      digests,
    },
  }
  let parts: Part[] = []
  let weight = 0
  for (const part of partsOf(loaded, digests, known)) {
    if (weight + weightOf(part) > AT_ONCE && parts.length > 0) {
      yield { parts }
      parts = []
      weight = 0
    }
    parts.push(part)
    weight += weightOf(part)
  }
  yield { parts }
  yield { isAll: true }
}

/** A request to the thread: read a file, or send the next part of the answer. */
export type Request = ({ readonly file: string; readonly known: Digests } & LoadOptions) | 'next'

const port = parentPort
if (!port) throw new Error('this is for a thread of its own')
let messages: Generator<Answer> | null = null
port.on('message', async (request: Request) => {
  if (request !== 'next') {
    const { file, known, ...options } = request
    if (options.isAtStart) optimizeLater()
    const loaded = await loadConfig(file, options)
    // Who has given the text has it.
    messages = messagesOf(options.text === undefined ? loaded : { ...loaded, text: '' }, known)
  }
  const next = messages?.next()
  if (next && !next.done) port.postMessage(next.value)
  // This frees the loaded configuration.
  if (!next || next.done || 'isAll' in next.value) messages = null
})
