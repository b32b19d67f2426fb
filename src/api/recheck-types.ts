/** What is asked of the checks over the API, and what is answered. */
import { z } from '../check/option-types.js'
import { checkResult, healthState, list } from './model-types.js'
import { targets } from './override-types.js'

/** `POST /v1/recheck`: exact names as in the status document; `real: null` means all of the service. */
export const recheckRequest = z.strictObject({ targets })

/** `POST /v1/recheck/results`: results after the time `after`, which an earlier answer has given. */
export const recheckResultsRequest = z.strictObject({ targets, after: z.number() })

export type RecheckRequest = z.output<typeof recheckRequest>
export type RecheckResultsRequest = z.output<typeof recheckResultsRequest>

export const recheckOutcome = z
  .object({
    trouble: z
      .string()
      .nullable()
      .describe('A sentence if there is no such target; nothing has changed then.'),
    reals: z.number(),
    checks: z.number(),
    spread: z.number().describe('Milliseconds over which the starts are spread.'),
    within: z
      .number()
      .describe('Milliseconds until each check has as many results as `rise` and `fall` may need.'),
    after: z.number().describe('For `POST /v1/recheck/results`.'),
  })
  .meta({ id: 'RecheckOutcome' })

export const recheckedReal = z
  .object({
    service: z.string(),
    real: z.string(),
    state: healthState,
    isChanging: z
      .boolean()
      .describe('True while results contradict the state of a check, so that further ones decide.'),
    count: z.number().describe('Number of its checks.'),
    checks: list(
      z.object({
        index: z
          .number()
          .describe('Position among the checks of the real server, which may have two of a kind.'),
        kind: z.string(),
        state: healthState,
        result: checkResult,
        at: z.number().describe('Time of the result, as `after`.'),
        streak: z.number().describe('Results in a row that contradict the state.'),
        needed: z.number().describe('How many of them change it.'),
      }),
    ).describe('The checks with a result since.'),
  })
  .meta({ id: 'RecheckedReal' })

export type RecheckOutcome = Readonly<z.output<typeof recheckOutcome>>
export type RecheckedReal = Readonly<z.output<typeof recheckedReal>>
