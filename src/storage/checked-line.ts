/** A line of a file: a JSON value behind its checksum. */
import { crc32 } from 'node:zlib'

/** Returns the line of a value, with its line feed. */
export function lineFor(value: unknown): string {
  const json = JSON.stringify(value)
  return `${checksum(json)} ${json}\n`
}

/** Returns the value of a line without its line feed; null if the line is damaged. */
export function lineOf(line: string): { readonly value: unknown } | null {
  const json = line.slice(9)
  if (line.slice(0, 9) !== `${checksum(json)} `) return null
  try {
    return { value: JSON.parse(json) as unknown }
  } catch {
    return null
  }
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
