/** Converts a table to lines, for comparison. */
import {
  familyOf,
  keyOfReal,
  keyOfService,
  type Table,
  type TableReal,
  type TableService,
} from '../../src/core/model.js'

/**
 * Returns sorted lines: `tcp [fd00:f::1]:80 wrr persistent 300/64`, `tcp [fd00:f::1]:80 | [fd00:1::11]:80 masq 5 u:10
 * l:5`.
 */
export function linesOfTable(table: Table): string[] {
  return [...table.values()].flatMap(service => [serviceLine(service), ...realLines(service)]).sort()
}

function serviceLine({ id, scheduler, schedulerFlags, persistence, onePacket }: TableService): string {
  const words = [keyOfService(id), scheduler, ...schedulerFlags]
  if (persistence) {
    const isWhole = persistence.prefix === (familyOf(id) === 'ipv6' ? 128 : 32)
    words.push('persistent', `${persistence.timeout}${isWhole ? '' : `/${persistence.prefix}`}`)
  }
  if (onePacket) words.push('ops')
  return words.join(' ')
}

function realLines({ id, reals }: TableService): string[] {
  return [...reals.values()].map(real => `${keyOfService(id)} | ${realLine(real)}`)
}

function realLine(real: TableReal): string {
  const { forwarding, weight, upper, lower } = real
  const thresholds = upper || lower ? ` u:${upper} l:${lower}` : ''
  return `${keyOfReal(real)} ${forwarding} ${weight}${thresholds}`
}

/** Returns a line for each unexpected and each missing line; empty if both are equal. */
export function differences(actual: readonly string[], expected: readonly string[]): string[] {
  const isIn = (lines: readonly string[]) => {
    const set = new Set(lines)
    return (line: string) => set.has(line)
  }
  return [
    ...expected.filter(line => !isIn(actual)(line)).map(line => `missing: ${line}`),
    ...actual.filter(line => !isIn(expected)(line)).map(line => `too much: ${line}`),
  ]
}
