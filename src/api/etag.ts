/** Entity tags, and the conditions of requests on them (RFC 9110). */
import { createHash } from 'node:crypto'

type Header = string | readonly string[] | undefined

/** Returns the strong entity tag of a document. */
export function etagOf(document: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(document)).digest('base64url')
  return `"${hash.slice(0, 22)}"`
}

/** True if the header `If-Match` or `If-None-Match` names the tag. Null without the header. */
export function isNamed(header: Header, etag: string): boolean | null {
  if (header === undefined) return null
  const tags = String(header)
    .split(',')
    .map(tag => tag.trim())
  return tags.includes('*') || tags.includes(etag)
}
