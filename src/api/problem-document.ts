/** Why a request fails: the problem documents of RFC 9457. */
import type { ProblemDocument } from './problem-types.js'

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
