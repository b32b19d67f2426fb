/** Converts the record of a user's file to a kind of check for the core. It contains no code of the file. */
import type { Check } from '../check/check.js'
import { z } from '../check/option-types.js'
import { plainCopy } from '../util/plain-data.js'
import type { KindRecord } from './read-kind.js'
import { replayOptions, whyNotReplayable } from './replay-options.js'

/** The reason why a user's file cannot be used, as a sentence. */
export class Unusable extends Error {}

const isFunction = z.custom<unknown>(sort => sort === 'function', 'a function').optional()

const SHAPE = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'lower-case letters, digits, - and _, at most 64'),
  aliases: z.array(z.string().min(1).max(64)).max(20).optional(),
  summary: z.string().min(1).max(500),
  defaultPort: z.int().min(0).max(65535).optional(),
  perService: z.boolean().optional(),
  connects: z.boolean().optional(),
  scheme: z
    .string()
    .regex(/^[a-z][a-z0-9+.-]{0,63}$/, 'the scheme of a URL, such as http')
    .optional(),
  options: isFunction,
  missing: isFunction,
  validate: isFunction,
  probe: isFunction,
  run: isFunction,
})

const RECORD = z.object({
  data: z.record(z.string(), z.unknown()),
  functions: z.record(z.string(), z.string()),
  options: z
    .array(z.object({ name: z.string().min(1).max(64), word: z.string(), args: z.array(z.unknown()) }))
    .max(200),
})

/** Returns the kind defined in the file. Throws `Unusable` if it is invalid. */
export function kindOf(received: unknown, module: string, fileName: string): Check {
  const record = recordOf(received)
  const { name, aliases, summary, defaultPort, perService, connects, scheme } = shapeOf(record)
  const { functions, options } = record
  if (name !== fileName) throw new Unusable(`it defines the check "${name}", so the file must have that name`)
  if (!functions.probe && !functions.run) throw new Unusable('a check needs `run` or `probe`')
  const wrong = whyNotReplayable(options)
  if (wrong !== null) throw new Unusable(`\`options\` fails: ${wrong}`)
  return {
    name,
    ...(aliases && { aliases }),
    summary,
    ...(defaultPort !== undefined && { defaultPort }),
    ...(perService !== undefined && { perService }),
    ...(connects !== undefined && { connects }),
    ...(scheme !== undefined && { scheme }),
    options: kit => replayOptions(options, kit),
    isJudgedApart: Boolean(functions.validate || functions.missing),
    module,
    origin: 'user',
  }
}

/** Validates and copies the record. It comes from a worker that runs foreign code. */
function recordOf(received: unknown): KindRecord {
  try {
    const { data, functions, options } = RECORD.parse(received)
    const copies = Object.entries(data).map(([key, value]) => [key, plainCopy(value)])
    return {
      data: Object.fromEntries(copies),
      functions,
      options: options.map(option => ({ ...option, args: option.args.map(plainCopy) })),
    }
  } catch {
    throw new Unusable('its export is not valid data')
  }
}

function shapeOf({ data, functions }: KindRecord): z.output<typeof SHAPE> {
  const parsed = SHAPE.safeParse({ ...data, ...functions })
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: 'not a check' }
  throw new Unusable(`\`check.${path.join('.')}\` is invalid: ${message}`)
}
