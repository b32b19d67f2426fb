/**
 * `node write-manual.js FOLDER`, a part of `npm run build`: writes the man pages lvsd.8 and lvsd.yaml.5. Their date is
 * that of SOURCE_DATE_EPOCH, or today.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { referenceOf } from '../../config/docs/reference.js'
import { loadChecks } from '../../kinds/find-kinds.js'
import { version } from '../../system/version.js'
import { commandNames, loadCommand } from '../registry.js'
import { commandPage } from './command-page.js'
import { configurationPage } from './configuration-page.js'

void writeManual(process.argv[2])

async function writeManual(folder: string | undefined): Promise<void> {
  if (!folder) throw new Error('usage: node write-manual.js FOLDER')
  const { checks } = await loadChecks([])
  const facts = { version: version(), date: date() }
  const pages = {
    'lvsd.8': commandPage(await Promise.all(commandNames().map(loadCommand)), facts),
    'lvsd.yaml.5': configurationPage(referenceOf(checks), facts),
  }
  mkdirSync(folder, { recursive: true })
  for (const [name, page] of Object.entries(pages)) writeFileSync(join(folder, name), page)
}

function date(): string {
  const epoch = process.env.SOURCE_DATE_EPOCH
  return (epoch ? new Date(Number(epoch) * 1000) : new Date()).toISOString().slice(0, 10)
}
