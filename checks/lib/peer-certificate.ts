/**
 * Judges the certificate that a server shows: its name and the pins. Each certificate is parsed once for a question: servers
 * show the same one for months.
 */
import { X509Certificate } from 'node:crypto'
import { checkServerIdentity, type PeerCertificate, type TLSSocket } from 'node:tls'
import { parseAddress } from '../../src/core/address.js'
import { pinProblem } from './pin.js'

/** Maximum number of answers that are kept. */
const MOST = 8192

/** Maximum number of characters of a message that are kept. A certificate of 100 kB may list thousands of names. */
const LONGEST = 500

const names = new Map<string, Error | undefined>()
const pinned = new Map<string, string | null>()

/** A certificate of Node's, of either kind: its SHA-256 and its DER. */
export type Shown = Pick<X509Certificate, 'fingerprint256' | 'raw'>

/**
 * Returns what the server shows; undefined for nothing. After a call of it, Node no longer provides the certificates in its other
 * form (`getPeerCertificate`).
 */
export function shownBy(socket: TLSSocket): X509Certificate | undefined {
  return socket.getPeerX509Certificate()
}

/**
 * Keeps Node from describing the whole chain for `checkServerIdentity` (tls.connect), which takes as long as the verification.
 * Returns a function that ends this.
 */
export function hideChain(socket: TLSSocket): () => void {
  const own = socket as { getPeerCertificate?: unknown }
  own.getPeerCertificate = () => ({})
  return () => {
    delete own.getPeerCertificate
  }
}

/** Returns the error in the name of a certificate, or undefined. */
export function nameProblem(certificate: Shown, wanted: string): Error | undefined {
  const key = `${certificate.fingerprint256} ${wanted}`
  if (!names.has(key)) keep(names, key, small(compareName(new X509Certificate(certificate.raw), wanted)))
  return names.get(key)
}

/** Returns a sentence if no pin matches the certificate, else null. */
export function pinProblemOf(certificate: Shown | undefined, pins: readonly string[]): string | null {
  if (!certificate?.raw) return pinProblem(undefined, pins)
  const key = `${certificate.fingerprint256} ${pins.join()}`
  if (!pinned.has(key)) keep(pinned, key, pinProblem(certificate.raw, pins))
  return pinned.get(key) ?? null
}

function keep<T>(answers: Map<string, T>, key: string, answer: T): void {
  if (answers.size >= MOST) answers.clear()
  answers.set(key, answer)
}

/** Returns the error without the certificate that Node adds to it. */
function small(error: NodeJS.ErrnoException | undefined): Error | undefined {
  if (!error) return undefined
  const { message, code } = error
  // A copy, because a part of a text keeps the whole of it in memory.
  const kept = new Error(Buffer.from(message.slice(0, LONGEST)).toString())
  return Object.assign(kept, { code })
}

/**
 * OpenSSL compares addresses as bytes. Node compares texts, and some versions format IPv6 addresses differently and never
 * find a match.
 */
function compareName(certificate: X509Certificate, wanted: string): Error | undefined {
  const address = parseAddress(wanted.split('%')[0] ?? '')?.text
  if (address === undefined)
    return checkServerIdentity(wanted, certificate.toLegacyObject() as unknown as PeerCertificate)
  if (certificate.checkIP(address) !== undefined) return undefined
  const found = certificate.subjectAltName ?? 'none'
  const message = `The address ${address} is not among those of the certificate: ${found}`
  return Object.assign(new Error(message), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
}
