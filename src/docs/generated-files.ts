/** The files in config/ that are generated: from the schema, the checks, and the routes of the API. */
import { fileURLToPath } from 'node:url'
import { openApiOf } from '../api/openapi.js'
import { ROUTES } from '../api/routes/all.js'
import { jsonSchemaOf } from '../config/docs/json-schema.js'
import { referenceOf } from '../config/docs/reference.js'
import { loadChecks } from '../kinds/find-kinds.js'

export interface GeneratedFile {
  readonly path: string
  readonly content: string
}

/** Returns the generated files with their current content. */
export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  const { checks } = await loadChecks([])
  const path = (name: string) => fileURLToPath(new URL(`../../config/${name}`, import.meta.url))
  return [
    { path: path('reference.md'), content: referenceOf(checks) },
    { path: path('lvsd.schema.json'), content: json(jsonSchemaOf(checks)) },
    { path: path('openapi.json'), content: json(openApiOf(ROUTES)) },
  ]
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
