/** Reads the files of `api.tls`. */
import { createHash } from 'node:crypto'
import type { ApiSettings } from '../config/schema/model-keys.js'
import { readTextSoon } from '../system/read-file.js'

export type TlsPaths = NonNullable<ApiSettings['tls']>

export interface TlsContent {
  readonly cert: string
  readonly key: string
  /** Certificates that sign those of clients; null: clients need none. */
  readonly clientCa: string | null
  /** Equal for equal contents. */
  readonly digest: string
}

/** Maximum size of a file in bytes. */
const MOST = 1024 * 1024

/** Rejects with a sentence that names the file. */
export async function readTls(paths: TlsPaths): Promise<TlsContent> {
  const [cert, key, clientCa] = await Promise.all([
    textOf(paths.cert),
    textOf(paths.key),
    paths.clientCa === null ? null : textOf(paths.clientCa),
  ])
  const digest = createHash('sha256')
    .update(JSON.stringify([cert, key, clientCa]))
    .digest('base64url')
  return { cert, key, clientCa, digest }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readTextSoon(path, MOST)
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`)
  }
}
