/** Reads which services on marks are left in the kernel's table of an lvsd that has ended. Loads no module. */
import type { ResolvedConfig } from '../../core/model.js'
import { type LeftServices, leftServices } from '../../core/path-owner.js'
import { DEFAULT_MARKS } from '../../core/service-path.js'
import { openKernel } from '../../ipvs/client.js'
import { runningOwners } from '../../reconcile/path-owner.js'
import { journalPath, readJournal } from '../../storage/journal.js'
import { hasIpvs } from './modules.js'

/** Null: the table cannot be read, or there is none. */
export async function readLeftServices({
  settings,
}: Pick<ResolvedConfig, 'settings'>): Promise<LeftServices | null> {
  const running = runningOwners()
  if (hasIpvs() !== true || running === null) return null
  try {
    const kernel = await openKernel()
    try {
      const { table } = await kernel.dump()
      const known = readJournal(journalPath(settings.state, settings.socket)).owned
      return leftServices(table, { range: settings.marks ?? DEFAULT_MARKS, known, running })
    } finally {
      kernel.close()
    }
  } catch {
    // Without root the table cannot be read.
    return null
  }
}
