/** What reading is given beside the tree. */
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'
import type { SecretSources } from '../secret-sources.js'

export interface ReadContext {
  readonly report: Report
  readonly secrets: SecretSources
  /** Where relative paths begin that stand at a place; null where they stay as they are. */
  folderAt(at: Position): string | null
}
