/** Loads users' files, each in a separate process, several at a time. Each results in a kind or a problem. */
import { pathToFileURL } from 'node:url'
import type { Check } from '../check/check.js'
import { optionKit } from '../check/option-kit.js'
import { type Failure, type Reply, runErrand } from './errand.js'
import { kindOf, Unusable } from './facade.js'
import { type KindPath, kindNameOf } from './folder.js'
import { inTurns } from './turns.js'

export interface LoadedKind {
  readonly file: KindPath
  readonly check: Check | null
  /** Why the file is not loaded, without its name; null if it is loaded. */
  readonly problem: string | null
  /** A hint for the author of a loaded file, or null. */
  readonly remark: string | null
}

/** Milliseconds for the import of a file and the declaration of its options. */
const PATIENCE = 5000
/** Number of files that are loaded at a time. */
const AT_ONCE = 4
/** The reply about a file, or the failure. */
type Told = { readonly reply: Reply | undefined; readonly failure: Failure | null }

/** Returns the kind of each file, in the order of the files. Never rejects. */
export function loadKinds(files: readonly KindPath[]): Promise<readonly LoadedKind[]> {
  return inTurns(files, AT_ONCE, async file => loadedFrom(file, await describe(file)))
}

async function describe({ real }: KindPath): Promise<Told> {
  const task = { kind: 'describe', words: Object.keys(optionKit) } as const
  const { replies, failure } = await runErrand(
    { module: pathToFileURL(real).href, task },
    { replies: 1, patience: PATIENCE, tooLate: `it did not load within ${PATIENCE / 1000} s` },
  )
  return { reply: replies[0], failure }
}

function loadedFrom(file: KindPath, { reply, failure }: Told): LoadedKind {
  const nothing = (problem: string): LoadedKind => ({ file, check: null, problem, remark: null })
  if (failure) return nothing(saying(file.path, failure))
  if (reply?.kind !== 'record') return nothing('its export is not valid data')
  try {
    const check = kindOf(reply.record, pathToFileURL(file.real).href, kindNameOf(file.path))
    return { file, check, problem: null, remark: remarkOn(reply) }
  } catch (error) {
    if (!(error instanceof Unusable)) throw error
    return nothing(error.message)
  }
}

/** Returns what the file did, to follow its name and a colon. */
function saying(file: string, { message, code }: Failure): string {
  if (code !== 'ERR_UNKNOWN_FILE_EXTENSION' || !/\.[mc]?ts$/.test(file)) return message
  return `it is TypeScript, which Node ${process.versions.node} does not run (22.18 and later do): compile it to .mjs`
}

/** Returns a remark on printed output. The values come from a process that runs foreign code, so they are validated. */
function remarkOn(said: { readonly printed: unknown; readonly beginning: unknown }): string | null {
  const { printed, beginning } = said
  if (typeof printed !== 'number' || typeof beginning !== 'string' || printed === 0) return null
  const first = JSON.stringify(beginning.split('\n')[0]?.slice(0, 60))
  return `it printed ${printed} bytes while it was loaded, which lvsd discarded; they begin with ${first}`
}
