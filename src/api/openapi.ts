/** The OpenAPI document of the routes (3.1). */
import { z } from '../check/option-types.js'
import { version } from '../system/version.js'
import { KINDS, type Kind } from './problem-document.js'
import { problemDocument } from './problem-types.js'
import type { AnyRoute } from './route.js'
import { alertDocument, alertHeaders } from './webhook-types.js'

type Json = Record<string, unknown>

/** `isStrict`: answers have no fields but those of the document. Clients should not expect that. */
export function openApiOf(routes: readonly AnyRoute[], { isStrict = false } = {}): Json {
  const schemas = new Schemas(isStrict)
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    if (route.isPage) continue
    const operations = paths[route.path] ?? {}
    paths[route.path] = { ...operations, [route.method.toLowerCase()]: operationOf(route, schemas) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'lvsd',
      version: version(),
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'What lvsd knows, and how to steer it. Errors are problem documents (RFC 9457). Names of services and real servers are those of the status document; in a path they are percent-encoded.',
    },
    servers: [
      {
        url: '/',
        description: 'The control socket: curl --unix-socket /run/lvsd/lvsd.sock http://lvsd/v1/status',
      },
    ],
    paths,
    webhooks: { alerts: webhookOf(schemas) },
    components: { schemas: schemas.all },
  }
}

class Schemas {
  readonly #isStrict: boolean
  readonly #all: Json = {}

  constructor(isStrict: boolean) {
    this.#isStrict = isStrict
  }

  get all(): Json {
    return Object.fromEntries(Object.entries(this.#all).sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** The JSON Schema of a type. Types with an id are defined once. */
  of(type: z.ZodType, io: 'input' | 'output'): Json {
    const {
      $schema: _,
      $defs = {},
      ...json
    } = z.toJSONSchema(type, {
      io,
      target: 'draft-2020-12',
      unrepresentable: 'any',
      override: ({ jsonSchema }) => {
        delete jsonSchema.readOnly
        if (io === 'output' && !this.#isStrict && jsonSchema.additionalProperties === false)
          delete jsonSchema.additionalProperties
      },
    }) as Json
    for (const [id, definition] of Object.entries($defs as Json)) this.#all[id] = pointed(definition)
    return pointed(json) as Json
  }
}

/** With pointers to the components of the document. */
function pointed(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'))
}

function operationOf(route: AnyRoute, schemas: Schemas): Json {
  const { summary, role, body, texts = [], response, types = [] } = route
  const content = Object.fromEntries(types.map(type => [type, { schema: { type: 'string' } }]))
  return {
    operationId: operationId(route),
    summary,
    'x-role': role,
    parameters: [
      ...parametersOf('path', route.params, schemas),
      ...parametersOf('query', route.query, schemas),
    ],
    ...(body && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: {
          'application/json': { schema: schemas.of(body, 'input') },
          ...Object.fromEntries(texts.map(type => [type, { schema: { type: 'string' } }])),
        },
      },
    }),
    responses: {
      200: {
        description: 'The answer.',
        content: {
          ...(!(response instanceof z.ZodNever) && {
            'application/json': { schema: schemas.of(response, 'output') },
          }),
          ...content,
        },
      },
      ...problemResponses(route, schemas),
    },
  }
}

/** What lvsd itself sends to the receivers of alerts. */
function webhookOf(schemas: Schemas): Json {
  return {
    post: {
      operationId: 'alerts',
      summary: 'Alerts that fire or are over, sent to each webhook of `alerts:` in the configuration.',
      parameters: parametersOf('header', alertHeaders, schemas),
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemas.of(alertDocument, 'output') } },
      },
      responses: {
        '2XX': { description: 'It is delivered. A command gets the same document as its standard input.' },
        default: {
          description:
            'After 408, 425, 429 and 5xx lvsd tries again, 15 times in all, and follows `Retry-After`; others are errors.',
        },
      },
    },
  }
}

/** `getServicesServiceReals` for `GET /v1/services/{service}/reals`. */
function operationId({ method, path }: AnyRoute): string {
  const words = path.split(/[^A-Za-z]+/).filter(word => word !== '' && word !== 'v')
  return [method.toLowerCase(), ...words.map(word => word.charAt(0).toUpperCase() + word.slice(1))].join('')
}

function parametersOf(
  place: 'path' | 'query' | 'header',
  type: z.ZodType | undefined,
  schemas: Schemas,
): readonly Json[] {
  if (!type) return []
  const { properties = {}, required = [] } = schemas.of(type, 'input') as {
    properties?: Record<string, Json>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }))
}

function problemResponses({ role, body, params, query, problems = [] }: AnyRoute, schemas: Schemas): Json {
  const kinds: readonly Kind[] = [
    ...(body || params || query ? (['invalid-request'] as const) : []),
    ...(body ? (['too-large', 'unsupported-media-type'] as const) : []),
    ...(role === 'open' ? [] : (['unauthenticated'] as const)),
    'too-many-requests',
    ...(role === 'operate' ? (['forbidden'] as const) : []),
    ...problems,
    'failed',
  ]
  const schema = schemas.of(problemDocument, 'output')
  const responses = [...new Set(kinds)].map(kind => {
    const [status, description] = KINDS[kind]
    return [
      String(status),
      { description: `${description}.`, content: { 'application/problem+json': { schema } } },
    ]
  })
  return Object.fromEntries(responses)
}
