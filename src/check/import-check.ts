/** Imports the file of a check, which executes its code. */
import { nameOf } from '../util/plain-data.js'

export const DATA = ['name', 'aliases', 'summary', 'defaultPort', 'perService', 'connects', 'scheme'] as const
export const FUNCTIONS = ['options', 'missing', 'validate', 'probe', 'run'] as const

/** A check as exported by foreign code; none of its values is validated yet. */
export type ForeignCheck = Readonly<Partial<Record<(typeof DATA | typeof FUNCTIONS)[number], unknown>>>

/** The file could not be imported. */
export class NotLoaded extends Error {
  readonly code: string | null

  constructor(message: string, code: string | null) {
    super(message)
    this.code = code
  }
}

/**
 * Returns the object that the file exports as `check`. Throws `NotLoaded` if the import fails, and an Error if there is
 * no such export.
 */
export async function importCheck(module: string): Promise<ForeignCheck> {
  const exported = (await imported(module)) as { readonly check?: unknown; readonly default?: unknown }
  // If Node cannot detect the exports of a CommonJS file, they are all in its default export.
  const check = exported.check ?? (exported.default as { readonly check?: unknown } | undefined)?.check
  if (typeof check === 'object' && check !== null) return check as ForeignCheck
  throw new Error('it must export an object named `check`')
}

async function imported(module: string): Promise<unknown> {
  try {
    return await import(module)
  } catch (error) {
    const place = error instanceof SyntaxError ? ' (node --check shows the place)' : ''
    throw new NotLoaded(`${messageOf(error)}${place}`, codeOf(error))
  }
}

/** Returns the message of anything that was thrown. */
export function messageOf(error: unknown): string {
  try {
    const message = error instanceof Error || typeof error === 'object' ? (error as Error).message : error
    return String(message ?? nameOf(error)).slice(0, 2000)
  } catch {
    return 'an error without a message'
  }
}

export function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code.slice(0, 100) : null
}
