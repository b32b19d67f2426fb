/** Starts a thread with a file of lvsd, both in `dist` and in the sources. */
import { stat } from 'node:fs'
import { createRequire } from 'node:module'
import { Worker, type WorkerOptions } from 'node:worker_threads'

let hasPool = false

/** Starts a thread. `entry` is the file's URL, with the extension of its importer: `.js` or `.ts`. */
export function openThread(entry: URL, options: WorkerOptions): Worker {
  startPool()
  return isSource(entry) ? new Worker(loading(entry), { ...options, eval: true }) : new Worker(entry, options)
}

/**
 * Starts libuv's threads for files, if they do not run yet. libuv ends the process without a word where it cannot start one of
 * them, as under a limit of processes (`RLIMIT_NPROC`), and a thread of lvsd can do without.
 */
function startPool(): void {
  if (!hasPool) stat('/', () => {})
  hasPool = true
}

function isSource(entry: URL): boolean {
  return entry.pathname.endsWith('.ts')
}

/** Threads do not inherit the TypeScript loader of the process that runs the tests. */
function loading(entry: URL): string {
  const loader = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs')
  return `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}) })`
}

/** Returns the URL of a file in the folder of the importing file, with the same extension. */
export function besideFile(importer: string, name: string): URL {
  return new URL(`./${name}${importer.endsWith('.ts') ? '.ts' : '.js'}`, importer)
}
