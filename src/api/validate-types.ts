/** What lvsd finds in a configuration, and in this machine. */
import { z } from '../check/option-types.js'
import { list } from './model-types.js'
import { requestProblem } from './problem-types.js'

/** A configuration that is sent. */
export const configurationText = z.union([
  z.string(),
  z.strictObject({ text: z.string(), format: z.enum(['yaml', 'ldirectord']).optional() }),
])

/** Media types of a configuration that is sent as it is. */
export const TEXTS = ['application/yaml', 'text/plain']
/**
 * Bytes of a configuration that is sent. It is read in a thread, but received and handed over in this one: 16 MiB have
 * held up the checks for 150 ms. 10,000 real servers need less than 1 MiB.
 */
export const CONFIGURATION_LIMIT = 4 * 1024 * 1024

export const formatQuery = {
  format: z
    .enum(['yaml', 'ldirectord'])
    .optional()
    .describe('Format of the configuration; without it, by its text.'),
}

export interface Posted {
  readonly text: string
  readonly format: 'yaml' | 'ldirectord' | null
}

export const validateDocument = z
  .object({
    ok: z.boolean().describe('Whether lvsd could run it.'),
    services: z.number(),
    reals: z.number(),
    checks: z.number(),
    problems: list(requestProblem),
  })
  .meta({ id: 'Validation' })

export const doctorDocument = z
  .object({
    schema: z.number(),
    file: z.string(),
    isRoot: z.boolean(),
    findings: list(
      z
        .object({
          id: z.string().describe('Stable name of the hazard.'),
          severity: z.enum(['error', 'warning', 'note', 'not known', 'ok']),
          title: z.string(),
          text: z.string(),
          commands: list(z.string()),
          services: list(z.string()),
        })
        .meta({ id: 'Finding' }),
    ),
  })
  .meta({ id: 'Doctor' })

export type ValidateDocument = Readonly<z.output<typeof validateDocument>>
export type DoctorDocument = Readonly<z.output<typeof doctorDocument>>

export function postedOf(
  body: z.output<typeof configurationText>,
  { format }: { readonly format?: Posted['format'] | undefined },
): Posted {
  if (typeof body === 'string') return { text: body, format: format ?? null }
  return { text: body.text, format: body.format ?? format ?? null }
}
