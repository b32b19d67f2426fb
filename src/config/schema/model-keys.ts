/**
 * Adds the keys of the schema to the types of core/model.ts. A plain key is declared only in the schema. Rooms above
 * `config` see it in `Settings` and `Service`; rooms below pass these values on without their types.
 */

import type { z } from '../../check/option-types.js'
import type { Agreement } from '../../core/agreement.js'
import type { ConnectivityPolicy } from '../../core/connectivity.js'
import type { SyncPolicy } from '../../core/sync-daemon.js'
import type { Shape } from '../read/fields.js'
import type { apiFields } from './api-fields.js'
import type { CamelKeys } from './camel-keys.js'
import type { clusterFields, roleFields, standbyFields, trackFileFields } from './cluster-fields.js'
import type { mailFields } from './mail-fields.js'
import type { plainServiceFields, settingsFields } from './schema.js'

/** The values of a mapping with all defaults, under the names that the code uses. */
export type Output<S extends Shape> = CamelKeys<{ [K in keyof S]: z.output<S[K]> }>

/** Recipients and conditions of mails about a service; there is at least one recipient. */
export type MailPolicy = Output<typeof mailFields> & { readonly to: readonly string[] }

/** Where the API is served over TCP. */
export type ApiSettings = Output<typeof apiFields>

/** Who says whether this director is active. */
export type RoleSettings = Pick<Output<typeof roleFields>, 'from' | 'path'> &
  Partial<Output<typeof roleFields>>

/** A director that is one of several. */
export type ClusterSettings = Omit<
  Output<typeof clusterFields>,
  'role' | 'standby' | 'connectivity' | 'trackFile' | 'sync' | 'observers' | 'agree'
> & {
  /** Directors that ask each question; null or absent: all. */
  readonly observers?: number | null
  readonly agree?: Agreement
  readonly sync?: SyncPolicy | null
  readonly role: RoleSettings
  readonly connectivity?: ConnectivityPolicy | null
  readonly trackFile?: Output<typeof trackFileFields> | null
  readonly standby: Output<typeof standbyFields>
}

declare module '../../core/model.js' {
  interface Settings extends Output<typeof settingsFields> {}
  interface Config {
    /** Absent: the API is served on the control socket only. */
    readonly api?: ApiSettings
    /** Absent: this director serves alone. */
    readonly cluster?: ClusterSettings
  }
  interface Service extends Output<typeof plainServiceFields> {
    /** Null means no mails. */
    readonly mail: MailPolicy | null
  }
}
