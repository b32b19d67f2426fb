/** The last results of checks. */
import { z } from '../check/option-types.js'
import { healthState, list, strip } from './model-types.js'
import { whyResults } from './why-types.js'

export const resultsDocument = z
  .object({
    reals: list(
      z
        .object({
          service: z.string(),
          real: z.string(),
          checks: list(
            z.object({
              name: z.string().describe('As in the log.'),
              kind: z.string(),
              target: z.string(),
              state: healthState,
              strip,
              results: list(whyResults).describe('The last groups of results, the newest first.'),
            }),
          ),
        })
        .meta({ id: 'RealResults' }),
    ),
  })
  .meta({ id: 'ResultsDocument' })

export type ResultsDocument = Readonly<z.output<typeof resultsDocument>>
