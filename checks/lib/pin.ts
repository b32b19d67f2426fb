/** Certificates that are known by their fingerprint, or by that of their key. */
import { createHash, X509Certificate } from 'node:crypto'

/**
 * The 32 bytes of a SHA-256 as people write them: `sha256//` and Base64, as curl does, or hexadecimal with colons or
 * without, as openssl does. Null for anything else.
 */
export function pinBytes(pin: string): Buffer | null {
  const digits = pin.replaceAll(':', '')
  if (/^[0-9A-Fa-f]{64}$/.test(digits)) return Buffer.from(digits, 'hex')
  const [, base64] = /^sha256\/\/([A-Za-z0-9+/]{43}=)$/.exec(pin) ?? []
  return base64 === undefined ? null : Buffer.from(base64, 'base64')
}

/** Null where one of the pins is the certificate's (DER) or its key's; else what should be pinned, for people. */
export function pinProblem(certificate: Buffer | undefined, pins: readonly string[]): string | null {
  if (!certificate) return 'the server shows no certificate that could be pinned'
  const { publicKey } = new X509Certificate(certificate)
  const key = sha256(publicKey.export({ type: 'spki', format: 'der' }))
  const known = [sha256(certificate), key]
  if (pins.some(pin => known.some(digest => pinBytes(pin)?.equals(digest)))) return null
  return `the certificate is none of those pinned; the pin of its key is sha256//${key.toString('base64')}`
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
