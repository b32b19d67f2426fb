/** Context of reading, in addition to the tree. */
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'
import type { SecretSources } from '../secret-sources.js'
import type { Sorts } from './sorts.js'

export interface ReadContext {
  readonly report: Report
  readonly secrets: SecretSources
  readonly sorts: Sorts
  /** Returns the base of relative paths at a position, or null if such paths stay as written. */
  folderAt(at: Position): string | null
  /** Called where the result depends on more than the text, before a look: at files, programs and variables. */
  looksAtFiles?(): void
  /** As `looksAtFiles`, before a look at what no file server holds: the time, the groups and the interfaces of this machine. */
  looksAtMachine?(): void
}
