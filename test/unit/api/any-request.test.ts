/** Requests that are made of the schemas of the API, right ones and wrong ones, to a running director. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { openApiOf } from '../../../src/api/openapi.js'
import type { AnyRoute } from '../../../src/api/route.js'
import { ROUTES } from '../../../src/api/routes/all.js'
import { nearly, type Schema } from '../../support/api/arbitrary.js'
import { assertDescribed } from '../../support/api/described.js'
import { runningDirector } from '../../support/api/running.js'

/** Requests for each route, but 5 for those that read configurations in a thread. `API_RUNS=1000` for a long run. */
const RUNS = Number(process.env.API_RUNS ?? 12)
const SLOW = /^\/v1\/(plan|validate|doctor)/
/** Its thread is slow to start; it answers no JSON. */
const LEFT_OUT = ['/v1/doctor', '/metrics']

const SITE = `
services:
  web: { virtual: '[2001:db8::80]:80', checks: 'on', reals: ['[::1]:1', '[::1]:2'] }
  mail: { virtual: '[2001:db8::80]:25', checks: 'on', reals: ['[::1]:25'] }
`

interface Operation {
  readonly parameters: readonly {
    readonly name: string
    readonly in: 'path' | 'query'
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

const { paths } = openApiOf(ROUTES) as { paths: Record<string, Record<string, Operation>> }

interface Made {
  readonly url: string
  readonly body: string | undefined
}

function requestsOf({ method, path }: AnyRoute): fc.Arbitrary<Made> {
  const operation = paths[path]?.[method.toLowerCase()]
  assert.ok(operation)
  const { parameters, requestBody } = operation
  const given = fc.record(
    Object.fromEntries(parameters.map(each => [`${each.in} ${each.name}`, nearly(each.schema)])),
    { requiredKeys: parameters.filter(each => each.in === 'path').map(({ name }) => `path ${name}`) },
  )
  const schema = requestBody?.content['application/json']?.schema
  const body = schema ? nearly(schema).map(value => JSON.stringify(value)) : fc.constant(undefined)
  return fc.tuple(given, body).map(([values, text]) => {
    const named = Object.entries(values as Record<string, unknown>)
    const url = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
      encoded((values as Record<string, unknown>)[`path ${name}`]),
    )
    const query = named
      .filter(([name, value]) => name.startsWith('query ') && !(name === 'query wait' && value !== ''))
      .map(([name, value]) => `${encodeURIComponent(name.slice(6))}=${encoded(value)}`)
    return { url: `${url}?${query.join('&')}`, body: text }
  })
}

function encoded(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return encodeURIComponent(text.replaceAll(/[\ud800-\udfff]/g, '?')) || '%20'
}

describe('any request to the API', function () {
  this.timeout(600_000)

  it('is answered as the document says, and the director lives on', async () => {
    const { send } = await runningDirector(SITE)
    for (const route of ROUTES.filter(({ path, isPage }) => !isPage && !LEFT_OUT.includes(path))) {
      const property = fc.asyncProperty(requestsOf(route), async ({ url, body }) => {
        const answer = await send(route.method, url, body)
        assert.ok(answer.status < 500 || answer.status === 503, `${route.method} ${url}: ${answer.text}`)
        assertDescribed(route, answer)
      })
      await fc.assert(property, { numRuns: SLOW.test(route.path) ? Math.min(RUNS, 5) : RUNS })
      assert.equal((await send('GET', '/readyz')).status, 200, `${route.method} ${route.path}`)
    }
  })
})
