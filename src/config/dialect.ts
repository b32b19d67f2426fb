/** Differences between the formats of a configuration that affect the meaning of values or the text of messages. */
import type { Family } from '../core/address.js'
import type { Code } from './problems/codes.js'

export interface Dialect {
  /** Relative paths begin in the folder of the file, or stay as written, relative to lvsd's working directory. */
  readonly relativePaths: 'of the file' | 'as written'
  /** Text with which a message shows how to set the family of a service. */
  readonly familyWord: Readonly<Record<Family, string>>
  /** Returns the sentence that is added to a problem of a check of this kind, or an empty text. */
  outcomeOf(code: Code, kind: string): string
}

export const YAML: Dialect = {
  relativePaths: 'of the file',
  familyWord: { ipv4: 'family: ipv4', ipv6: 'family: ipv6' },
  outcomeOf: () => '',
}
