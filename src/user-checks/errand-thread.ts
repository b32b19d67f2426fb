/** Starts the thread of an errand, in `dist` as in the sources. */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'

export function openErrandThread(options: WorkerOptions): Worker {
  return import.meta.url.endsWith('.ts')
    ? new Worker(bundle(), { ...options, eval: true })
    : new Worker(new URL('./worker-entry.js', import.meta.url), options)
}

let bundled: string | null = null

/**
 * For the tests: one text in JavaScript. A loader of TypeScript in the thread would be one for the user's files as well,
 * which then load in another way than with Node alone.
 */
function bundle(): string {
  const { buildSync } = createRequire(import.meta.url)('esbuild') as { buildSync: Build }
  bundled ??=
    buildSync({
      entryPoints: [fileURLToPath(new URL('./worker-entry.ts', import.meta.url))],
      bundle: true,
      write: false,
      platform: 'node',
    }).outputFiles[0]?.text ?? ''
  return bundled
}

type Build = (options: object) => { readonly outputFiles: readonly { readonly text: string }[] }
