/**
 * A TLS session as OpenSSL writes it (d2i_SSL_SESSION(3), SSL_SESSION_ASN1 in ssl/ssl_asn1.c): one ASN.1 sequence in DER. Its
 * part [3] is the certificate of the server. OpenSSL decodes it for each connection, which takes as long as the rest of a
 * resumed handshake, and a resumption does not need it.
 */

/**
 * Before the session newer releases of Node.js put this, the length of a name in two bytes, and the name of the server: they resume
 * it with this server alone (wrapSessionState in their source; 22.23, 24.22 and 26.12 have it, 20.20 has not).
 */
const OF_NODE = Buffer.from('\0nodejs:tls:session:1\0', 'latin1')
const SEQUENCE = 0x30
/** Constructed, context-specific, number 3. */
const PEER = 0xa3

/** Returns the session without the certificate; the session itself if it has none or is no such sequence. */
export function withoutCertificate(session: Buffer): Buffer {
  const start = startOf(session)
  if (start === 0) return withoutPeer(session)
  return Buffer.concat([session.subarray(0, start), withoutPeer(session.subarray(start))])
}

/** Returns where the session of OpenSSL begins. */
function startOf(session: Buffer): number {
  const length = OF_NODE.length
  if (session.length < length + 2 || !session.subarray(0, length).equals(OF_NODE)) return 0
  return length + 2 + session.readUInt16BE(length)
}

function withoutPeer(session: Buffer): Buffer {
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
