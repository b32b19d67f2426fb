/** Decompresses bodies that a server compressed although the request asked for `identity`, so that they can be searched. */
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { type Answer, down } from '../../src/check/check.js'

/** Maximum number of nested codings. Not even two are useful. */
const MOST_CODINGS = 3

type Undo = (bytes: Buffer, options: zlib.ZlibOptions) => Promise<Buffer>

const inflate: Undo = promisify(zlib.inflate)
const inflateRaw: Undo = promisify(zlib.inflateRaw)
const gunzip: Undo = promisify(zlib.gunzip)
const brotli: Undo = promisify(zlib.brotliDecompress)

const UNDO: Readonly<Record<string, Undo>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  // The name means zlib's format, but some servers send a raw deflate stream.
  deflate: (bytes, options) => (isZlib(bytes) ? inflate(bytes, options) : inflateRaw(bytes, options)),
  br: brotli,
}

/** RFC 1950, 2.2: method 8, and a checksum over the first two bytes. */
function isZlib(bytes: Buffer): boolean {
  return bytes.length >= 2 && (bytes.readUInt8() & 15) === 8 && bytes.readUInt16BE() % 31 === 0
}

/** Decompresses the body, or returns an answer if that fails. `limit`: maximum bytes after each step. */
export async function undone(
  body: Buffer,
  codings: readonly string[],
  limit: number,
): Promise<Buffer | Answer> {
  const unknown = codings.find(coding => !Object.hasOwn(UNDO, coding))
  if (unknown !== undefined)
    return down('unexpected', `the body is compressed by ${shown(unknown)}, which lvsd does not support`)
  if (codings.length > MOST_CODINGS)
    return down('garbage', `the body is compressed ${codings.length} times; the limit is ${MOST_CODINGS}`)
  let bytes = body
  for (const coding of codings.toReversed()) {
    const next = await undoneOnce(bytes, coding, limit)
    if ('ok' in next) return next
    bytes = next
  }
  return bytes
}

async function undoneOnce(bytes: Buffer, coding: string, limit: number): Promise<Buffer | Answer> {
  try {
    return (await UNDO[coding]?.(bytes, { maxOutputLength: limit })) ?? bytes
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ERR_BUFFER_TOO_LARGE'
      ? down('too-big', `the body decoded from ${coding} has more than ${limit} bytes, which is the limit`)
      : down('garbage', `the body is not ${coding}, as its header says: ${message}`)
  }
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 40))
}
