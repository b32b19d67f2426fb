/** Why a request fails: the problem documents of RFC 9457. */
import { z } from '../check/option-types.js'

/** Each kind of problem, with its HTTP status and its title. Kinds are stable: do not rename one. */
export const KINDS = {
  'not-json': [400, 'The body is not JSON'],
  'invalid-request': [400, 'The request is invalid'],
  unauthenticated: [401, 'The request has no valid token'],
  forbidden: [403, 'The role of the token does not allow this request'],
  'not-found': [404, 'There is no such thing'],
  'method-not-allowed': [405, 'The path does not have this method'],
  refused: [409, 'The request is refused'],
  changed: [412, 'The resource has changed'],
  'too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The body has the wrong media type'],
  'configuration-refused': [422, 'The configuration is refused'],
  'too-many-requests': [429, 'There are too many requests'],
  failed: [500, 'lvsd could not answer'],
  unavailable: [503, 'lvsd cannot answer now'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>

export type Kind = keyof typeof KINDS

/** One mistake in a request, or one problem of a configuration. */
export const requestProblem = z
  .object({
    in: z.enum(['body', 'query', 'path', 'configuration']).describe('The part of the request.'),
    path: z.string().describe('JSON pointer of the value, or the file of the configuration.'),
    line: z.int().optional().describe('From 1, in a configuration.'),
    column: z.int().optional().describe('From 1, in a configuration.'),
    message: z.string(),
    expected: z.string().optional().describe('What may be there.'),
    nearest: z.string().optional().describe('The closest valid word.'),
    severity: z.enum(['error', 'warning', 'note']).optional().describe('Of a configuration.'),
    code: z.string().describe('Stable, upper case with underscores: UNKNOWN_KEY.'),
  })
  .meta({ id: 'RequestProblem', description: 'One mistake in a request or in a configuration.' })

export type RequestProblem = z.output<typeof requestProblem>

export const problemDocument = z
  .object({
    type: z.string().describe('`urn:lvsd:problem:KIND`, stable.'),
    title: z.string().describe('The same for all problems of a type.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().describe('One sentence about this request.'),
    problems: z.array(requestProblem).optional().describe('All mistakes at once.'),
    outcome: z.unknown().optional().describe('What the answer would be, if lvsd refuses what was asked.'),
    current: z.unknown().optional().describe('What the resource is now (status 412).'),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457).' })

export type ProblemDocument = z.output<typeof problemDocument>

export interface RefusalDetails extends Partial<Pick<ProblemDocument, 'problems' | 'outcome' | 'current'>> {
  readonly headers?: Readonly<Record<string, string>>
}

/** A request fails for this reason. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly kind: Kind
  readonly details: RefusalDetails

  constructor(kind: Kind, message: string, details: RefusalDetails = {}) {
    super(message)
    this.kind = kind
    this.details = details
  }
}

export function typeOf(kind: Kind): string {
  return `urn:lvsd:problem:${kind}`
}

export function documentOf({ kind, message, details }: Refusal): ProblemDocument {
  const [status, title] = KINDS[kind]
  const { headers: _, ...members } = details
  return { type: typeOf(kind), title, status, detail: message, ...members }
}
