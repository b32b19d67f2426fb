/** The groups of this machine. */
import { readFileSync } from 'node:fs'

/** Returns the ids of the groups in group(5) by their names; read anew each time, since they change while lvsd runs. */
export function groupIds(file = '/etc/group'): ReadonlyMap<string, number> {
  try {
    const lines = readFileSync(file, 'utf8').split('\n')
    return new Map(
      lines
        .map(line => line.split(':'))
        .flatMap(([name = '', , id = '']) => (/^\d+$/.test(id) ? [[name, Number(id)] as const] : [])),
    )
  } catch {
    return new Map()
  }
}

/** Returns the id of a group by its name or its number; null if there is no such name. */
export function groupId(group: string, known = groupIds()): number | null {
  return known.get(group) ?? (/^\d{1,9}$/.test(group) ? Number(group) : null)
}
