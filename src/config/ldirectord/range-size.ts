/** Estimates how many real servers the ranges of an ldirectord.cf stand for, without reading it. Pure. */

/** True if the ranges of the text, such as `192.0.2.1->192.0.2.9:80`, stand for at most so many real servers together. */
export function areRangesSmall(text: string, most: number): boolean {
  let servers = 0
  for (const line of text.split('\n')) {
    if (!line.includes('->')) continue
    for (const word of line.split(/[\s=]+/)) if (word.includes('->')) servers += sizeOf(word)
  }
  return servers <= most
}

/** Returns Infinity for all but a range within the last byte of an IPv4 address, the usual one. */
function sizeOf(range: string): number {
  const [first = '', last = ''] = range.split('->')
  const from = first.lastIndexOf('.') + 1
  const [, to] = /^(\d{1,3})(?::\w*)?$/.exec(last.slice(from)) ?? []
  const isUsual =
    to !== undefined && /^\d+\.\d+\.\d+\.\d{1,3}$/.test(first) && last.startsWith(first.slice(0, from))
  return isUsual ? Math.max(0, Number(to) - Number(first.slice(from)) + 1) : Number.POSITIVE_INFINITY
}
