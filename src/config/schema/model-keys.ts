/**
 * Adds the keys that the schema defines to the types of core/model.ts. So a plain key is declared once, in the schema, and rooms
 * above `config` find it in `Settings` and `Service`, though rooms below carry these values from one to the other.
 */
import type { z } from '../../check/option-types.js'
import type { Shape } from '../read/fields.js'
import type { CamelKeys } from './camel-keys.js'
import type { mailFields } from './mail-fields.js'
import type { plainServiceFields, settingsFields } from './schema.js'

/** The values of a mapping with all its defaults, under the names of the code. */
export type Output<S extends Shape> = CamelKeys<{ [K in keyof S]: z.output<S[K]> }>

/** Recipients and conditions of mails about a service; there is at least one recipient. */
export type MailPolicy = Output<typeof mailFields> & { readonly to: readonly string[] }

declare module '../../core/model.js' {
  interface Settings extends Output<typeof settingsFields> {}
  interface Service extends Output<typeof plainServiceFields> {
    /** Null means no mails. */
    readonly mail: MailPolicy | null
  }
}
