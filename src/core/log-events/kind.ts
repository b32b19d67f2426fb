/** A kind of log line. */
export interface LineKind<Field extends string> {
  /** A sentence for config/reference.md. */
  readonly about: string
  /** The fields that such a line may have beside its message. */
  readonly fields: readonly Field[]
}

/** The fields of a check result. */
export const RESULT = ['reason', 'detail', 'phase', 'ms', 'hint'] as const

export function kind<Field extends string = never>(
  about: string,
  ...fields: readonly Field[]
): LineKind<Field> {
  return { about, fields }
}
