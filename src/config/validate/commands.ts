/** Lines of the shell that lvsd is to run when something happens. */
import { whyUnavailable } from '../../system/shell-command.js'
import type { Report } from '../problems/report.js'
import type { RawEntry } from '../raw.js'
import { textOf } from './context.js'

/** Warns of a command that cannot be run now, as far as that can be seen. */
export function tellCommand(entry: RawEntry | undefined, report: Report): void {
  const command = textOf(entry?.value)
  const why = command === null ? null : whyUnavailable(command)
  if (entry && why !== null) report.warn('COMMAND_UNAVAILABLE', entry.value.at, `${entry.key}: ${why}`)
}
