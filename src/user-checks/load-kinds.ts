/** Loads the files of users' folders, each in a worker of its own, many at a time; each ends as a kind or a sentence. */
import { memoryUsage } from 'node:process'
import { pathToFileURL } from 'node:url'
import type { Check } from '../check.js'
import { optionKit } from '../options.js'
import { type Failure, type Reply, startErrand, type UnderWay } from './errand.js'
import { kindOf, Unusable } from './facade.js'
import { type KindPath, kindNameOf } from './folder.js'
import { inTurns } from './turns.js'

export interface LoadedKind {
  readonly file: KindPath
  readonly check: Check | null
  /** Why it is not loaded, without the name of the file; null where it is. */
  readonly problem: string | null
  /** What its author should know although it is loaded. */
  readonly remark: string | null
}

/** Milliseconds that a file is given to be imported and to tell its options. */
const PATIENCE = 5000
/** Files that begin at once. */
const AT_ONCE = 8
/** MB by which the process may grow while files are loaded, and for each of them: buffers count in no heap. */
const GROWTH = { ofAll: 96, ofEach: 64 }

const GREW = `it needs more than ${GROWTH.ofAll + GROWTH.ofEach} MB of memory`

/** What a file said of itself, or why it said nothing. */
type Told = { readonly reply: Reply | undefined; readonly failure: Failure | null }

/** The kind of each file, in the order of the files. Never rejects. */
export async function loadKinds(files: readonly KindPath[]): Promise<readonly LoadedKind[]> {
  const underWay = new Set<UnderWay>()
  const guard = watchGrowth(underWay)
  const load = async (file: KindPath) => loadedFrom(file, await describe(file, underWay))
  return inTurns(files, AT_ONCE, load).finally(guard.stop)
}

async function describe({ real }: KindPath, underWay: Set<UnderWay>): Promise<Told> {
  const task = { kind: 'describe', words: Object.keys(optionKit) } as const
  const errand = startErrand(
    { module: pathToFileURL(real).href, task },
    { replies: 1, patience: PATIENCE, tooLate: `it is not loaded within ${PATIENCE / 1000} s` },
  )
  underWay.add(errand)
  const { replies, failure } = await errand.done
  underWay.delete(errand)
  return { reply: replies[0], failure }
}

/** Ends whoever asks for most memory when the process has grown by more than all that are under way may need. */
function watchGrowth(underWay: ReadonlySet<UnderWay>): { stop(): void } {
  const appetites = new Map<UnderWay, Appetite>()
  const recent = (errand: UnderWay) => appetites.get(errand)?.recent ?? 0
  let before = memoryUsage.rss()
  let isEnding = false
  const look = async () => {
    for (const errand of underWay) appetites.set(errand, appetiteOf(errand, appetites.get(errand)))
    const most = GROWTH.ofAll + GROWTH.ofEach * underWay.size
    if (isEnding || memoryUsage.rss() - before < most * 2 ** 20) return
    isEnding = true
    const [greediest] = [...underWay].sort((a, b) => recent(b) - recent(a))
    await greediest?.end(GREW)
    // The C library may keep what was freed.
    before = memoryUsage.rss()
    isEnding = false
  }
  const timer = setInterval(look, 20)
  return { stop: () => clearInterval(timer) }
}

/** How often a thread has asked for memory: in all, and lately, which a pause of a few ticks does not hide. */
interface Appetite {
  readonly inAll: number
  readonly recent: number
}

function appetiteOf(errand: UnderWay, last: Appetite = { inAll: 0, recent: 0 }): Appetite {
  const inAll = errand.pageFaults()
  return { inAll, recent: last.recent * 0.8 + (inAll - last.inAll) }
}

function loadedFrom(file: KindPath, { reply, failure }: Told): LoadedKind {
  const nothing = (problem: string): LoadedKind => ({ file, check: null, problem, remark: null })
  if (failure) return nothing(saying(file.path, failure))
  if (reply?.kind !== 'record') return nothing('what it exports cannot be read')
  try {
    const check = kindOf(reply.record, pathToFileURL(file.real).href, kindNameOf(file.path))
    return { file, check, problem: null, remark: remarkOn(reply) }
  } catch (error) {
    if (!(error instanceof Unusable)) throw error
    return nothing(error.message)
  }
}

/** What the file did, for a sentence after its name and a colon. */
function saying(file: string, { message, code }: Failure): string {
  if (code !== 'ERR_UNKNOWN_FILE_EXTENSION' || !/\.[mc]?ts$/.test(file)) return message
  return `it is TypeScript, which Node ${process.versions.node} does not run (22.18 and later do): compile it to .mjs`
}

function remarkOn({
  printed,
  beginning,
}: {
  readonly printed: number
  readonly beginning: string
}): string | null {
  if (printed === 0) return null
  const first = JSON.stringify(beginning.split('\n')[0]?.slice(0, 60))
  return `it prints ${printed} bytes while it is loaded, of which nothing is kept; they begin with ${first}`
}
