/** A route of the API as data. Registration, validation, error documents and `config/openapi.json` follow from it. */
import type { Readable } from 'node:stream'
import type { z } from '../check/option-types.js'
import type { Control } from './control.js'
import type { Kind } from './problem-document.js'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** What a caller may do: `open` needs no token, `operate` includes `read`, `local` is on the control socket only. */
export type Role = 'open' | 'read' | 'operate' | 'local'

/** Who asks. A listener finds this out (`Listener` in app.ts). */
export interface Caller {
  readonly role: Exclude<Role, 'open'>
  /** The name for the log and for overrides. */
  who(): string
}

export interface Request<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly who: () => string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal
}

/** An answer that is more than a document as JSON with status 200. */
export class Answer {
  readonly body: string | Buffer | Readable
  readonly type: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(
    body: string | Buffer | Readable,
    {
      type = JSON_TYPE,
      status = 200,
      headers = {},
    }: { type?: string; status?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    this.body = body
    this.type = type
    this.status = status
    this.headers = headers
  }
}

export const JSON_TYPE = 'application/json; charset=utf-8'

export interface Route<
  Part = Control,
  Params = unknown,
  Query = unknown,
  Body = unknown,
  Response = unknown,
> {
  readonly method: Method
  /** As in OpenAPI: `/v1/services/{service}`. */
  readonly path: string
  readonly role: Role
  /** One line for the documentation. */
  readonly summary: string
  /** Each a text of the path. */
  readonly params?: z.ZodType<Params>
  readonly query?: z.ZodType<Query>
  readonly body?: z.ZodType<Body>
  /** Media types of the body besides JSON. Such a body is handed over as text. */
  readonly texts?: readonly string[]
  /** Maximum bytes of the body; 64 KiB without. */
  readonly limit?: number
  /** The documented answer; `never` if it is no JSON. It is not validated while lvsd runs. */
  readonly response: z.ZodType<Response>
  /** Other media types of the answer, for the documentation. */
  readonly types?: readonly string[]
  /** Kinds of problems besides those of all routes. */
  readonly problems?: readonly Kind[]
  /** Concurrent requests with the same path and query share one answer, until a request of the role `operate` is answered. */
  readonly isShared?: true
  /** A file of the page: not in the OpenAPI document. */
  readonly isPage?: true
  handler(
    control: Part,
    request: Request<Params, Query, Body>,
  ): Promise<Response | Answer> | Response | Answer
}

/** A route whose types have been checked by `routeOver`. */
// biome-ignore lint/suspicious/noExplicitAny: each route has types of its own
export type AnyRoute = Route<Control, any, any, any, any>

/** Returns a function that checks the types of a route over a part of the control. */
export function routeOver<Part extends Partial<Control>>() {
  return <Params, Query, Body, Response>(
    route: Route<Part, Params, Query, Body, Response>,
  ): Route<Part, Params, Query, Body, Response> => route
}
