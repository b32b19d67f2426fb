/** Imports a kind of lvsd. In the script of a build (`deploy/bundle.mjs`) another text is in the place of this file. */
import type { Check } from '../check/check.js'

/** `module` is the URL of a file in the folder `checks`. Rejects if it does not load. */
export function importKind(module: string): Promise<{ readonly check: Check }> {
  return import(module)
}
