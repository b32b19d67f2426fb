/** The way in which a file is written, where the meaning of its values, or what is said of them, depends on it. */
import type { Family } from '../core/address.js'
import type { Code } from './problems/codes.js'

export interface Dialect {
  /** Where relative paths begin: in the folder of the file, or where lvsd is. */
  readonly relativePaths: 'of the file' | 'as written'
  /** How a service is given its family. */
  readonly familyWord: Readonly<Record<Family, string>>
  /** What is added to a problem of a check of this kind; nothing where it is empty. */
  outcomeOf(code: Code, kind: string): string
}

export const YAML: Dialect = {
  relativePaths: 'of the file',
  familyWord: { ipv4: 'family: ipv4', ipv6: 'family: ipv6' },
  outcomeOf: () => '',
}
