/**
 * Integers in the messages of the kernel, which are little-endian on the machines that lvsd supports. Buffer has the same, but checks
 * its arguments by functions that V8 has to optimize first: a start, which has a message for each server, made more garbage of that
 * than of all else. The caller keeps to the bounds of the memory.
 */

/** Throws a RangeError for what is no 16-bit integer. */
export function put16(into: Uint8Array, value: number, at: number): void {
  if (value !== (value & 0xffff)) throw new RangeError(`${value} does not fit 16 bits`)
  into[at] = value & 0xff
  into[at + 1] = value >>> 8
}

/** Big-endian. Throws a RangeError for what is no 16-bit integer. */
export function putBe16(into: Uint8Array, value: number, at: number): void {
  if (value !== (value & 0xffff)) throw new RangeError(`${value} does not fit 16 bits`)
  into[at] = value >>> 8
  into[at + 1] = value & 0xff
}

/** Throws a RangeError for what is no 32-bit integer. */
export function put32(into: Uint8Array, value: number, at: number): void {
  if (value !== value >>> 0) throw new RangeError(`${value} does not fit 32 bits`)
  into[at] = value & 0xff
  into[at + 1] = (value >>> 8) & 0xff
  into[at + 2] = (value >>> 16) & 0xff
  into[at + 3] = value >>> 24
}

export function get16(from: Uint8Array, at: number): number {
  return (from[at] as number) | ((from[at + 1] as number) << 8)
}

/** Big-endian. */
export function getBe16(from: Uint8Array, at: number): number {
  return ((from[at] as number) << 8) | (from[at + 1] as number)
}

export function get32(from: Uint8Array, at: number): number {
  return (get16(from, at) | (get16(from, at + 2) << 16)) >>> 0
}
