/**
 * Random numbers that a seed determines, for simulations. Not for secrets. Each number is a hash of its place in a stream, so
 * that a stream is two integers, and many thousands of them cost nothing.
 */

/** Returns the next number, 0 <= n < 1. */
export type Random = () => number

/** 2^32 divided by the golden ratio: its multiples are spread over all 32-bit numbers. */
const SPREAD = 0x9e3779b9
const RANGE = 2 ** 32

/** Returns the number at this place of a stream, 0 <= n < 1. Streams of different keys are independent. */
export function randomAt(stream: number, place: number): number {
  return mixed(stream ^ mixed(Math.imul(place, SPREAD))) / RANGE
}

/** Returns the key of a stream that belongs to the seed. */
export function streamOf(seed: number, index: number): number {
  return mixed(mixed(seed) + Math.imul(index + 1, SPREAD))
}

export function randomStream(seed: number): Random {
  const stream = streamOf(seed, 0)
  let place = 0
  return () => randomAt(stream, place++)
}

/** Returns a sample of the exponential distribution of this mean, from a number 0 <= n < 1. */
export function exponential(mean: number, random: number): number {
  return -mean * Math.log(1 - random)
}

/** Mixes all bits of a 32-bit number: the finalizer of MurmurHash3. */
function mixed(value: number): number {
  let bits = value ^ (value >>> 16)
  bits = Math.imul(bits, 0x85ebca6b)
  bits ^= bits >>> 13
  bits = Math.imul(bits, 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
