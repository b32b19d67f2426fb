/** Imports the file of a check. Runs its code. */
import { nameOf } from '../util/plain-data.js'

export const DATA = ['name', 'aliases', 'summary', 'defaultPort', 'perService', 'connects', 'scheme'] as const
export const FUNCTIONS = ['options', 'missing', 'validate', 'probe', 'run'] as const

/** A check as foreign code exports it: nothing is known of its values. */
export type ForeignCheck = Readonly<Partial<Record<(typeof DATA | typeof FUNCTIONS)[number], unknown>>>

/** The file could not be imported. */
export class NotLoaded extends Error {
  readonly code: string | null

  constructor(message: string, code: string | null) {
    super(message)
    this.code = code
  }
}

/** The object that the file exports as `check`; throws a sentence where it exports none. */
export async function importCheck(module: string): Promise<ForeignCheck> {
  const exported = (await imported(module)) as { readonly check?: unknown; readonly default?: unknown }
  // A CommonJS file whose exports Node cannot tell by reading has all of them in its default.
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

/** Anything can be thrown. */
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
