/** Values of the files in the state folder, as they are read. */
import { LATEST_END } from '../core/override.js'

/** Returns the text of a stored value. Throws if it is none. */
export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('expected a text')
  return value
}

/** Milliseconds of the wall clock. Others have no date: no status could be given. */
export function moment(value: unknown): number {
  if (typeof value !== 'number' || !(Math.abs(value) <= LATEST_END)) throw new Error('expected a time')
  return value
}

/** Returns a whole number from 0 to `most`. Throws if it is none. */
export function whole(value: unknown, most: number): number {
  if (!Number.isSafeInteger(value) || Number(value) < 0 || Number(value) > most)
    throw new Error('expected a number')
  return Number(value)
}
