/** Notices that a file has another content, however an editor puts it there. */
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'

/** Milliseconds between two looks. By time and not by events: it works on every file system, and for a rename too. */
const EVERY = 1000

export interface Watched {
  readonly path: string
  /** What was read of it, which may be a while ago: a change since then counts. */
  readonly text: string
}

/**
 * Calls `onChange` when the content has changed and has then stood still for one look, so that a half-written file is
 * not taken. A file that is gone for a moment is waited for.
 */
export function watchFile({ path, text }: Watched, onChange: () => void, every = EVERY): { close(): void } {
  let known: string | null = digest(text)
  let seen: string | null = known
  let mark: string | null = null
  const look = async () => {
    const now = await markOf(path)
    if (now === null) return
    if (now !== mark || seen !== known) {
      mark = now
      const content = await contentOf(path)
      if (content !== null && content === seen && content !== known) {
        known = content
        onChange()
      }
      if (content !== null) seen = content
    }
  }
  let isBusy = false
  const timer = setInterval(() => {
    if (isBusy) return
    isBusy = true
    void look().finally(() => {
      isBusy = false
    })
  }, every)
  return { close: () => clearInterval(timer) }
}

/** What changes whenever a file is written or replaced; null where there is none. */
async function markOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null)
  return found && `${found.ino} ${found.size} ${found.mtimeMs}`
}

async function contentOf(path: string): Promise<string | null> {
  const content = await readFile(path).catch(() => null)
  return content && digest(content)
}

function digest(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
