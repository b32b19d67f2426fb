/** The role of this director for a terminal. Pure. */
import type { RoleDocument } from '../../api/role-types.js'
import type { Paint } from '../../util/paint.js'
import { printable } from '../../util/printable.js'
import { shortTime } from '../../util/time-text.js'
import { wrap } from '../../util/wrap-text.js'

/** Columns of the names, and of the texts behind them. */
const INDENT = 8
const WIDTH = 72

const TABLE = {
  reconcile: 'kept as the configuration and the checks say',
  keep: 'not changed',
  empty: 'without the services of lvsd',
}
const CHECKS = { on: 'as usual', slow: 'at intervals ten times as long', off: 'none' }

export function roleLines({ role, cluster, now }: RoleDocument, paint: Paint): string[] {
  if (!cluster) return ['active: this director serves alone']
  const since = shortTime(Date.parse(cluster.since), Date.parse(now))
  const rows: readonly (readonly [string, string])[] = [
    ['role', `${role} since ${since}`],
    ['site', cluster.site],
    ['reason', cluster.reason],
    ['table', TABLE[cluster.table]],
    ['checks', CHECKS[cluster.checks]],
  ]
  return [
    ...rows.flatMap(([name, text]) =>
      wrap(printable(text), WIDTH)
        .split('\n')
        .map((line, i) => `${(i === 0 ? name : '').padEnd(INDENT)}${line}`),
    ),
    ...(cluster.trouble ? [paint('red', wrap(printable(cluster.trouble), INDENT + WIDTH))] : []),
  ]
}
