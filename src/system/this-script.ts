/** What a script of a build knows of itself. In such a script (`deploy/bundle.mjs`) another text is in the place of this file. */
import type { Itself } from './code-cache.js'

/** Null: this program is no script, but modules. */
export const thisScript: Itself | null = null
