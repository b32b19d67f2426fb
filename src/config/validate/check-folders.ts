/** Reads the setting `checks`: the folders of users' kinds. */
import type { Settings } from '../../core/model.js'
import { folderOf } from '../paths.js'
import { newReport } from '../problems/report.js'
import type { RawDocument } from '../raw.js'
import { outputOf } from '../read/layers.js'
import type { ReadContext } from '../read/read-context.js'
import { readEntry } from '../read/read-node.js'
import { Sorts } from '../read/sorts.js'
import { rootFields, settingsFields } from '../schema/schema.js'
import { secretSources } from '../secret-sources.js'

/** Returns the folders of users' kinds. They are needed before the rest of the file can be validated. */
export function checkFoldersOf(document: RawDocument, file: string): Settings['checks'] {
  const entry = document.root?.entries.find(({ key }) => key === 'settings')
  const report = newReport(file)
  const folderAt: ReadContext['folderAt'] = at => folderOf(at.file ?? file)
  const context = {
    report,
    folderAt,
    secrets: secretSources({ report, env: {}, folderAt }),
    sorts: new Sorts(),
  }
  const fields = entry && readEntry(entry, rootFields.settings, context)
  return outputOf(settingsFields, fields ? [fields] : []).checks
}
