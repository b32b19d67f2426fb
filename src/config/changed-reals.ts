/**
 * Reads a text that differs from a known one in the lines of real servers of one service: these lines alone. With thousands of servers in a
 * service, a reload of one weight costs what one server costs. The result is that of reading all of it, or none.
 */
import type { Real, Service } from '../core/model.js'
import { isSameValue } from '../util/same-value.js'
import type { Loaded } from './load.js'
import type { Group } from './service-groups.js'
import type { TextBlock, TextBlocks } from './text-blocks.js'
import { changedItems } from './yaml/changed-items.js'

/** What of a text is read again: `text` stands for the block at `at`. */
export interface ChangedReals {
  readonly at: number
  readonly service: Service
  readonly text: string
  /** The places of its real servers in those of the service. */
  readonly places: readonly number[]
}

/**
 * Returns null if more than the lines of real servers of one service have changed. `groups`: the services of the blocks of
 * `before`. `isPlain`: true if the services under a key follow from the text alone.
 */
export function findChangedReals(
  before: TextBlocks,
  now: TextBlocks,
  groups: readonly Group[],
  isPlain: (key: string) => boolean,
): ChangedReals | null {
  const { blocks } = now
  if (before.blocks.length !== blocks.length || groups.length !== blocks.length) return null
  const changed = blocks.flatMap((block, i) => (isSame(block, before.blocks[i]) ? [] : [i]))
  const [at = -1] = changed
  const [old, next, group] = [before.blocks[at], blocks[at], groups[at]]
  const [service] = group?.services ?? []
  if (changed.length !== 1 || !old || !next || !group || !service) return null
  if (group.services.length !== 1 || old.key !== next.key || !isPlain(group.key)) return null
  const found = changedItems(old.text, next.text, service.reals.length)
  return found && { ...found, at, service }
}

function isSame(a: TextBlock, b: TextBlock | undefined): boolean {
  return a.key === b?.key && a.text === b.text
}

/**
 * Returns the service with the real servers of `read`, which was made of the shorter text. Null unless nothing but their attributes
 * for the kernel has changed: with other endpoints or checks, what validation says of the other servers may change too. What it says
 * of attributes (a tunnel, weights that are too small) it says of a part of the servers if it says it of all.
 */
export function withReals({ service, places }: ChangedReals, read: Loaded): Service | null {
  const [short, ...others] = read.config?.services ?? []
  if (!short || others.length > 0 || read.problems.length > 0) return null
  const { reals: changed, ...rest } = short
  const { reals: known, ...knownRest } = service
  if (changed.length !== places.length || !isSameValue(rest, knownRest)) return null
  const reals = [...known]
  for (const [i, place] of places.entries()) {
    const [real, old] = [changed[i], known[place]]
    if (!real || !old || !isSameValue(endpointOf(real), endpointOf(old))) return null
    // With the checks that all others share.
    reals[place] = Object.freeze({ ...old, attributes: real.attributes })
  }
  return Object.freeze({ ...service, reals: Object.freeze(reals) })
}

function endpointOf({ attributes, ...endpoint }: Real): Omit<Real, 'attributes'> {
  return endpoint
}
