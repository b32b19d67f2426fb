/** The files of the page, as `npm run build` makes them from src/web. Read once, at the first request. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

export interface PageFile {
  readonly type: string
  readonly body: Buffer
  readonly zipped: Buffer
}

const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

export type PageFileName = keyof typeof TYPES

export const PAGE_FILES = Object.keys(TYPES) as readonly PageFileName[]

/** Nothing but this page's own files and the API; no frame around it; no address is sent to other sites. */
export const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
} as const

const FOLDER = new URL('../../../dist/src/web/', import.meta.url)
const files = new Map<PageFileName, PageFile>()

/** Returns null if the page has not been built. Throws if a file cannot be read; the next request reads it again. */
export function pageFile(name: PageFileName): PageFile | null {
  const file = files.get(name) ?? read(name)
  if (file) files.set(name, file)
  return file
}

function read(name: PageFileName): PageFile | null {
  try {
    const body = readFileSync(new URL(name, FOLDER))
    return { type: TYPES[name], body, zipped: gzipSync(body, { level: 9 }) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
