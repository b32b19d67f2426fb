/** What brings checks forward, in the status and in `lvsd why`. */
import { z } from '../check/option-types.js'
import { HINT_KINDS, type HintKind } from '../core/hints.js'
import { time } from './model-types.js'

const kind = z.enum(HINT_KINDS)

export const checkHints = z
  .object({
    sentinel: z
      .object({
        state: z
          .enum(['watching', 'opening', 'waiting', 'closed', 'left-out'])
          .describe(
            'watching: the idle connection is established; closed: the next passed check opens it; left-out: the descriptors do not suffice for all.',
          ),
        since: time().nullable().describe('When it was established; null unless it is watching.'),
        restsUntil: time()
          .nullable()
          .describe(
            'Set while it is closed because a check has timed out while it was open: not opened before. Else null.',
          ),
        idleLimit: z
          .number()
          .nullable()
          .describe(
            'Age in milliseconds at which the server closes idle connections by itself; null: none is known.',
          ),
      })
      .nullable()
      .describe('Null: the check has no sentinel.'),
    isKnocking: z
      .boolean()
      .describe('True while lvsd knocks, because no connection to the server can be made.'),
    last: z
      .object({ kind, detail: z.string(), at: time() })
      .nullable()
      .describe('The last hint that brought the check forward.'),
  })
  .meta({ id: 'CheckHints' })

const counts = Object.fromEntries(HINT_KINDS.map(each => [each, z.number()])) as Record<HintKind, z.ZodNumber>

export const hintsStatus = z
  .object({
    given: z.object(counts).describe('Hints by their kind, since the start.'),
    broughtForward: z.number().describe('Checks that hints have brought forward.'),
    waiting: z.number().describe('Checks that wait for their turn: 100 are brought forward per second.'),
    dropped: z.number().describe('Hints without effect, because 1000 checks waited.'),
    sentinels: z
      .object({
        ...{ watching: z.number(), opening: z.number(), waiting: z.number(), closed: z.number() },
        'left-out': z.number(),
      })
      .describe('By their state.'),
    knocking: z.number().describe('Servers that are knocked on, because no connection to them can be made.'),
  })
  .meta({ id: 'Hints', description: 'What brings checks forward.' })

export type CheckHints = Readonly<z.output<typeof checkHints>>
export type HintsStatus = Readonly<z.output<typeof hintsStatus>>
