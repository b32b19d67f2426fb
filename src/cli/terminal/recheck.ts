/** Formats the results of `lvsd recheck` for people. Pure. */
import type { RecheckedReal } from '../../api/recheck-types.js'
import { reasonAndDetail } from '../../api/status-reason.js'
import { painter } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { formatDuration } from '../../util/time-text.js'
import type { Rechecked } from '../rechecks.js'
import { clip } from './columns.js'
import { STATE_STYLE } from './state-style.js'

interface View {
  readonly colour: boolean
  readonly width: number
}

/** `web/[fd00::3]:80  up  http passed  1.2ms  200 OK`. */
export function recheckLine({ real, check }: Rechecked, { colour, width }: View): string {
  const paint = painter(colour)
  const state = paint(STATE_STYLE[real.state], real.state)
  const start = `${printable(`${real.service}/${real.real}`)}  ${state}`
  if (check === null) return `${start}  no check is configured`
  const { ok, reason, detail, phase, ms } = check.result
  const verdict =
    ok === null ? paint('yellow', 'no verdict') : ok ? paint('green', 'passed') : paint('red', 'failed')
  const count = check.streak > 0 ? ` ${check.streak} of ${check.needed}` : ''
  const told = printable(reason === null ? detail : reasonAndDetail(reason, detail, phase))
  return clip(`${start}  ${printable(check.kind)} ${verdict}${count}  ${formatDuration(ms)}  ${told}`, width)
}

/** `3 real servers: 2 up, 1 down`. */
export function summaryLine(reals: readonly RecheckedReal[], count: number, { colour }: View): string {
  const number = (state: RecheckedReal['state']) => reals.filter(real => real.state === state).length
  const silent = count - reals.length
  const rest = [
    ...(number('unknown') > 0 ? [`${number('unknown')} not judged yet`] : []),
    ...(silent > 0 ? [`${silent} without a result`] : []),
  ]
  const text = [
    `${counted(count, 'real server')}: ${number('up')} up`,
    `${number('down')} down`,
    ...rest,
  ].join(', ')
  return painter(colour)(number('up') === count ? 'green' : 'red', text)
}
