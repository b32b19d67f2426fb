/** The types of the problem documents of RFC 9457, by which a request fails. */
import { z } from '../check/option-types.js'

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
