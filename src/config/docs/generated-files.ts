/** The files in config/ that are generated from the schema and the checks. */
import { fileURLToPath } from 'node:url'
import { loadChecks } from '../../kinds/find-kinds.js'
import { jsonSchemaOf } from './json-schema.js'
import { referenceOf } from './reference.js'

export interface GeneratedFile {
  readonly path: string
  readonly content: string
}

/** Returns the generated files with their current content. */
export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  const { checks } = await loadChecks([])
  const path = (name: string) => fileURLToPath(new URL(`../../../config/${name}`, import.meta.url))
  return [
    { path: path('reference.md'), content: referenceOf(checks) },
    { path: path('lvsd.schema.json'), content: `${JSON.stringify(jsonSchemaOf(checks), null, 2)}\n` },
  ]
}
