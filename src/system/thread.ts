/** Starts a thread with a file of ours, in `dist` as in the sources. */
import { createRequire } from 'node:module'
import { Worker, type WorkerOptions } from 'node:worker_threads'

/** `entry` is the file's URL with the ending that it has beside its importer, `.js` or `.ts`. */
export function openThread(entry: URL, options: WorkerOptions): Worker {
  return isSource(entry) ? new Worker(loading(entry), { ...options, eval: true }) : new Worker(entry, options)
}

function isSource(entry: URL): boolean {
  return entry.pathname.endsWith('.ts')
}

/** Threads do not take over the loader of TypeScript from the process that runs the tests. */
function loading(entry: URL): string {
  const loader = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs')
  return `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}) })`
}

/** The URL of a file beside the importing one, whose URL is given, with that one's ending. */
export function besideFile(importer: string, name: string): URL {
  return new URL(`./${name}${importer.endsWith('.ts') ? '.ts' : '.js'}`, importer)
}
