/** Recognizes certificates by their fingerprint or by that of their public key. */
import { createHash, X509Certificate } from 'node:crypto'

/**
 * Parses a SHA-256 to its 32 bytes: `sha256//` and Base64, as in curl, or hexadecimal with or without colons, as in
 * openssl. Returns null for any other text.
 */
export function pinBytes(pin: string): Buffer | null {
  const digits = pin.replaceAll(':', '')
  if (/^[0-9A-Fa-f]{64}$/.test(digits)) return Buffer.from(digits, 'hex')
  const [, base64] = /^sha256\/\/([A-Za-z0-9+/]{43}=)$/.exec(pin) ?? []
  return base64 === undefined ? null : Buffer.from(base64, 'base64')
}

/** Returns null if a pin matches the certificate (DER) or its public key; else a sentence that includes the correct pin. */
export function pinProblem(certificate: Buffer | undefined, pins: readonly string[]): string | null {
  if (!certificate) return 'the server sends no certificate to compare with the pin'
  const { publicKey } = new X509Certificate(certificate)
  const key = sha256(publicKey.export({ type: 'spki', format: 'der' }))
  const known = [sha256(certificate), key]
  if (pins.some(pin => known.some(digest => pinBytes(pin)?.equals(digest)))) return null
  return `the certificate matches no pin; the pin of its key is sha256//${key.toString('base64')}`
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
