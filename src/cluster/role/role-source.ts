/** Who says whether this director is active or standby. */
import type { Role } from '../../core/role.js'

export interface RoleReport {
  readonly role: Role
  /** For people: `the file /run/lvsd/role says standby`. */
  readonly reason: string
}

/** Reports the role when it is first known, and whenever it changes. */
export interface RoleSource {
  /** Resolves when the role has been asked for once. Never rejects. */
  readonly first: Promise<void>
  close(): void
}
