/** What is asked of tokens over the control socket, and what is answered. */
import { z } from '../check/option-types.js'
import { LATEST_END } from '../core/override.js'
import { ROLES } from './tokens.js'

/** The name of a token, for logs and overrides. */
const tokenName = z.string().regex(/^[\w.@-]{1,64}$/, 'expected 1 to 64 letters, digits and . _ @ -')

export const addTokenRequest = z.strictObject({
  name: tokenName,
  role: z.enum(ROLES).describe('`operate` includes `read`.'),
  until: z
    .number()
    .max(LATEST_END)
    .nullable()
    .default(null)
    .describe('Milliseconds since 1970; null: no end.'),
})

export type AddTokenRequest = z.output<typeof addTokenRequest>

const schema = z.literal(1).describe('Version of the format.')

export const tokenList = z.object({
  schema,
  tokens: z.array(
    z.object({
      name: z.string(),
      role: z.enum(ROLES),
      who: z.string().describe('Who made it.'),
      since: z.string().describe('ISO 8601.'),
      until: z.string().nullable().describe('ISO 8601; null: no end.'),
    }),
  ),
})

export const tokenAdded = z.object({
  schema,
  token: z.string().describe('The text for `Authorization: Bearer`. It is shown once.'),
  isKept: z.boolean().describe('False: it is not on the disk, and a restart would not know it.'),
  urls: z.array(z.string()).describe('Where it can be used: the URLs of the page and the API over TCP.'),
})

export const tokenRevoked = z.object({
  schema,
  isKept: z.boolean().describe('False: that is not on the disk, and a restart would know the token again.'),
})

export type TokenList = z.output<typeof tokenList>
export type TokenAdded = z.output<typeof tokenAdded>
export type TokenRevoked = z.output<typeof tokenRevoked>
