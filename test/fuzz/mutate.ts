/** Answers as they should be, spoilt: by bits, lengths, repetitions, cuts, and parts of others. */
import type { Chance } from './random.js'

/** Bytes that one answer may have after all. */
const LIMIT = 131_072

type Mutation = (bytes: Buffer, chance: Chance, others: readonly Buffer[]) => Buffer

const flip: Mutation = (bytes, chance) => {
  const copy = Buffer.from(bytes)
  const at = chance.below(bytes.length)
  copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8))
  return copy
}

const SPECIAL = [0, 1, 10, 13, 32, 34, 42, 45, 48, 58, 60, 62, 64, 91, 127, 128, 192, 254, 255]
const special: Mutation = (bytes, chance) => {
  const copy = Buffer.from(bytes)
  copy[chance.below(bytes.length)] = chance.pick(SPECIAL)
  return copy
}

const NUMBERS = [0, 1, 2, 4, 127, 128, 255, 256, 32_767, 65_535, 65_536, 0x7fffffff, 0x80000000, 0xffffffff]
/** A number of one, two or four bytes, in either order, where there may be a length. */
const length: Mutation = (bytes, chance) => {
  const copy = Buffer.from(bytes)
  const size = Math.min(chance.pick([1, 2, 4]), copy.length)
  const value = chance.pick(NUMBERS) % 2 ** (8 * size)
  const at = chance.below(copy.length - size + 1)
  if (chance.once(2)) copy.writeUIntBE(value, at, size)
  else copy.writeUIntLE(value, at, size)
  return copy
}

/** A number that is written in digits. */
const digits: Mutation = (bytes, chance) => {
  const text = bytes.toString('latin1')
  const found = [...text.matchAll(/\d+/g)]
  if (found.length === 0) return flip(bytes, chance, [])
  const { 0: old, index } = chance.pick(found)
  const number = chance.pick(['0', '-1', '1', '99', '1e9', '65536', '4294967295', '9'.repeat(40), ''])
  return Buffer.from(text.slice(0, index) + number + text.slice(index + old.length), 'latin1')
}

const cut: Mutation = (bytes, chance) => bytes.subarray(0, chance.below(bytes.length))

const remove: Mutation = (bytes, chance) => {
  const [from, to] = slice(bytes, chance)
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
}

const insert: Mutation = (bytes, chance) => {
  const at = chance.below(bytes.length + 1)
  const more = Buffer.from(Array.from({ length: 1 + chance.below(16) }, () => chance.below(256)))
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])
}

/** A part of it again and again, up to what a check reads at all. */
const repeat: Mutation = (bytes, chance) => {
  const [from, to] = slice(bytes, chance)
  const part = bytes.subarray(from, to)
  const times = chance.pick([2, 3, 10, 100, 5000])
  const many = Buffer.alloc(Math.min(LIMIT, part.length * times), part)
  return Buffer.concat([bytes.subarray(0, from), many, bytes.subarray(to)])
}

const splice: Mutation = (bytes, chance, others) => {
  const other = chance.pick(others.filter(({ length }) => length > 0))
  const [from, to] = slice(other, chance)
  const at = chance.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at)])
}

function slice(bytes: Buffer, chance: Chance): [from: number, to: number] {
  const from = chance.below(bytes.length)
  const size = chance.once(3) ? bytes.length : chance.pick([1, 2, 4, 8, 16, 64])
  return [from, Math.min(bytes.length, from + size)]
}

const MUTATIONS = [flip, flip, special, special, length, length, digits, cut, remove, insert, repeat, splice]

/** One answer, spoilt in one to four ways. */
export function mutated(bytes: Buffer, chance: Chance, others: readonly Buffer[]): Buffer {
  let spoilt = bytes
  for (let left = 1 + chance.below(4); left > 0 && spoilt.length > 0; left--)
    spoilt = chance.pick(MUTATIONS)(spoilt, chance, others).subarray(0, LIMIT)
  return spoilt
}
