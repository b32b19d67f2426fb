/**
 * Tells which first checks a text that has changed still has: those of services whose own lines are the same, byte for byte, if the text is
 * the same outside of its services. It is split at its services by a look at each line, not parsed, and only where what a service means
 * follows from both. Such a text has these checks, or it has errors: then the accepted configuration runs, which has them. Imports next to
 * nothing, since all commands load it.
 */
import { formatOf } from '../config/format.js'
import { virtualBlocks } from '../config/ldirectord/virtual-blocks.js'
import { type Group, groupsOf } from '../config/service-groups.js'
import type { TextBlock, TextBlocks } from '../config/text-blocks.js'
import { serviceBlocks } from '../config/yaml/service-blocks.js'
import type { Service } from '../core/model.js'

/** What the first checks of a text follow from. */
export interface BlockSums {
  /** Of the format, and of the text outside of its services. */
  readonly outside: string
  /** The services that have first checks. */
  readonly blocks: readonly BlockSum[]
  /** For each check the place of its service in `blocks`; -1: it is not known. */
  readonly places: readonly number[]
}

interface BlockSum {
  /** The key or the first line: sums are made only of blocks that may be this one. */
  readonly name: string
  readonly length: number
  readonly sum: string
}

/** Maximum number of characters of a text that is split: 512 Ki take some five milliseconds, and the program is not loaded meanwhile. */
const MOST = 524_288

export interface ReadText {
  readonly file: string
  readonly text: string
  /** What the text means, if it means nothing but what follows from it. */
  readonly services: readonly Service[]
}

/** Returns null for a text that cannot be split. `names`: for each check the names of the services that have it. */
export function sumsOf(
  { file, text, services }: ReadText,
  names: readonly (readonly string[])[],
): BlockSums | null {
  const split = splitText(file, text)
  const groups = groupsOf(services)
  if (!split || !areOf(split.blocks, groups)) return null
  const numbers = new Map(
    groups.flatMap((group, number) => group.services.map(({ name }) => [name, number] as const)),
  )
  const ofChecks = names.map(([name = '']) => numbers.get(name) ?? -1)
  const used = [...new Set(ofChecks)].filter(number => number >= 0)
  return {
    outside: sumOutside(file, text, split),
    blocks: used.map(number => sumOfBlock(split, number)),
    places: ofChecks.map(number => used.indexOf(number)),
  }
}

function splitText(file: string, text: string): TextBlocks | null {
  if (text.length > MOST) return null
  return formatOf(file, text) === 'ldirectord' ? virtualBlocks(text) : serviceBlocks(text)
}

/** True if each block is a service, in the same order. */
function areOf(blocks: readonly TextBlock[], groups: readonly Group[]): boolean {
  const isOf = ({ key }: TextBlock, i: number) => key === null || key === groups[i]?.key
  return blocks.length === groups.length && blocks.every(isOf)
}

/** Returns for each check whether the text has it for certain. */
export function heldIn(
  file: string,
  text: string,
  { outside, blocks, places }: BlockSums,
): readonly boolean[] {
  const split = splitText(file, text)
  if (!split || sumOutside(file, text, split) !== outside) return places.map(() => false)
  const sums = sumsIn(split, blocks)
  return places.map(place => sums.has(blocks[place]?.sum ?? ''))
}

/** Returns the sums of the blocks that may be these. */
function sumsIn(split: TextBlocks, blocks: readonly BlockSum[]): ReadonlySet<string> {
  const lengths = new Set(blocks.map(({ length }) => length))
  const names = new Set(blocks.map(({ name }) => name))
  const found = split.blocks.flatMap((block, i) =>
    lengths.has(block.text.length) && names.has(nameOf(block)) ? [sumOfBlock(split, i).sum] : [],
  )
  return new Set(found)
}

function sumOfBlock({ blocks }: TextBlocks, i: number): BlockSum {
  const block = blocks[i] ?? { key: null, text: '' }
  // What ends a text may be read in another way.
  const place = i === blocks.length - 1 ? 'last' : 'within'
  return { name: nameOf(block), length: block.text.length, sum: sum(place, block.text) }
}

function nameOf({ key, text }: TextBlock): string {
  return key ?? text.slice(0, Math.max(0, text.indexOf('\n')))
}

function sumOutside(file: string, text: string, { head, tail }: TextBlocks): string {
  return sum(formatOf(file, text), `${head.length}`, head, tail)
}

function sum(...parts: readonly string[]): string {
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256')
  for (const part of parts) hash.update(part).update('\n')
  return hash.digest('hex')
}
