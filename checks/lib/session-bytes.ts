/**
 * A TLS session as OpenSSL writes it (d2i_SSL_SESSION(3), SSL_SESSION_ASN1 in ssl/ssl_asn1.c): one ASN.1 sequence in DER. Its
 * part [3] is the certificate of the server. OpenSSL decodes it for each connection, which takes as long as the rest of a
 * resumed handshake, and a resumption does not need it.
 */

const SEQUENCE = 0x30
/** Constructed, context-specific, number 3. */
const PEER = 0xa3

/** Returns the session without the certificate; the session itself if it has none or is no such sequence. */
export function withoutCertificate(session: Buffer): Buffer {
  const whole = elementAt(session, 0)
  if (!whole || session[0] !== SEQUENCE || whole.end !== session.length) return session
  for (let at = whole.start; at < whole.end; ) {
    const element = elementAt(session, at)
    if (!element) return session
    if (session[at] === PEER) {
      const rest = [session.subarray(whole.start, at), session.subarray(element.end)]
      return Buffer.concat([header(whole.end - whole.start - (element.end - at)), ...rest])
    }
    at = element.end
  }
  return session
}

/** Returns where the content of an element begins and ends; null if it is cut off, or its length is not definite. */
function elementAt(bytes: Buffer, at: number): { readonly start: number; readonly end: number } | null {
  const first = bytes[at + 1]
  if (first === undefined) return null
  const more = first < 0x80 ? 0 : first & 0x7f
  const start = at + 2 + more
  if (first === 0x80 || more > 4 || start > bytes.length) return null
  const end = start + (more === 0 ? first : bytes.readUIntBE(at + 2, more))
  return end > bytes.length ? null : { start, end }
}

/** The header of a sequence, with its length in the shortest form, as DER requires. */
function header(length: number): Buffer {
  if (length < 0x80) return Buffer.from([SEQUENCE, length])
  const bytes = length < 0x100 ? 1 : length < 0x10000 ? 2 : 3
  const head = Buffer.from([SEQUENCE, 0x80 | bytes, 0, 0, 0].slice(0, 2 + bytes))
  head.writeUIntBE(length, 2, bytes)
  return head
}
