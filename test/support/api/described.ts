/** Compares answers with the OpenAPI document. */
import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { openApiOf } from '../../../src/api/openapi.js'
import type { AnyRoute } from '../../../src/api/route.js'
import { ROUTES } from '../../../src/api/routes/all.js'
import type { HttpAnswer } from './running.js'

/** Answers have no fields but those of the document. */
const DOCUMENT = openApiOf(ROUTES, { isStrict: true })

const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { 'date-time': isTime } })
ajv.addSchema(DOCUMENT, 'api')

function isTime(text: string): boolean {
  return !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text
}

/** Asserts that the answer is one that the document has for this route, with this content. */
export function assertDescribed({ method, path }: AnyRoute, { status, headers, text }: HttpAnswer): void {
  if (status === 304) return
  const [type = ''] = String(headers['content-type']).split(';')
  const part = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')
  const pointer = [
    'paths',
    path,
    method.toLowerCase(),
    'responses',
    String(status),
    'content',
    type,
    'schema',
  ]
  const ref = `api#/${pointer.map(part).map(encodeURIComponent).join('/')}`
  const isValid = validatorOf(ref)
  assert.ok(
    isValid(JSON.parse(text)),
    `${method} ${path} ${status}: ${ajv.errorsText(isValid.errors)}\n${text.slice(0, 2000)}`,
  )
}

function validatorOf(ref: string) {
  const known = ajv.getSchema(ref)
  assert.ok(known, `the document does not have ${ref}`)
  return known
}

/** Asserts that the document has this as the body of a request to a webhook. */
export function assertWebhook(text: string): void {
  const pointer = 'webhooks/alerts/post/requestBody/content/application~1json/schema'
  const isValid = validatorOf(`api#/${pointer.split('/').map(encodeURIComponent).join('/')}`)
  assert.ok(isValid(JSON.parse(text)), `${ajv.errorsText(isValid.errors)}\n${text.slice(0, 2000)}`)
}
