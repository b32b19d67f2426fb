/** The description of the API. */
import { z } from '../../check/option-types.js'
import { openApiOf } from '../openapi.js'
import { Answer, type AnyRoute, type Route } from '../route.js'

/** Returns the route of the document over all routes, this one included. */
export function openApiRoute(routes: () => readonly AnyRoute[]): Route<object> {
  let text: string | null = null
  return {
    method: 'GET',
    path: '/v1/openapi.json',
    role: 'open',
    summary: 'This document.',
    response: z.record(z.string(), z.unknown()),
    handler: () => {
      text ??= JSON.stringify(openApiOf(routes()))
      return new Answer(text)
    },
  }
}
