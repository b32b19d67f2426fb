/** TLS to a real server: options, shared contexts, and the meaning of failures. */

import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { type Answer, CannotAsk, down, type RunContext } from '../../src/check/check.js'
import type { OptionKit, Parsed } from '../../src/check/option-kit.js'
import { type OptionProblem, problemOf } from '../../src/check/option-problem.js'
import { parseAddress } from '../../src/core/address.js'
import { readText, whyUnreadable } from '../../src/system/read-file.js'
import { type Destination, openTcp } from './destination.js'
import { hideChain, nameProblem, pinProblemOf, type Shown, shownBy } from './peer-certificate.js'
import { pinBytes } from './pin.js'

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const

export function tlsOptions(kit: OptionKit) {
  return {
    verify: kit.flag(false, "Verify the server's certificate: its chain, dates and name"),
    ca: kit.path(null, 'PEM file of the authorities to trust instead of the usual ones; needs verify'),
    sni: kit.maybeText('Server name sent in the handshake (SNI); by default the virtualhost; "" sends none'),
    verifyname: kit.maybeText(
      'Name or address that the certificate must contain; by default the name of sni, else the address',
    ),
    pin: kit.list(
      [],
      'SHA-256 of the certificate (hexadecimal) or of its public key (sha256//Base64, as curl has it); one of the list must match the server, with verify and without',
    ),
    cert: kit.path(null, "PEM file of lvsd's own certificate, if the server requires one"),
    key: kit.path(null, 'PEM file of the key to it; by default in the same file'),
    minversion: kit.choice(VERSIONS, 'TLSv1.2', 'Oldest protocol version accepted'),
  }
}

export type TlsOptions = Parsed<ReturnType<typeof tlsOptions>>

/** Returns the error in the options, or null. Reads the files that they name. */
export function tlsProblem(options: TlsOptions): OptionProblem | null {
  const { verify, ca, verifyname, sni, pin, cert, key } = options
  if (!verify && ca !== null) return problemOf('ca', 'ca needs verify: true')
  if (!verify && verifyname !== null) return problemOf('verifyname', 'verifyname needs verify: true')
  if (key !== null && cert === null) return problemOf('key', 'key needs cert')
  if (sni !== null && (parseAddress(sni) || /[^\w.-]/.test(sni)))
    return problemOf('sni', `sni takes a host name, not "${sni}"; addresses cannot be sent`)
  const unreadable = pin.findIndex(text => !pinBytes(text))
  if (unreadable !== -1)
    return problemOf(
      ['pin', unreadable],
      `pin takes a SHA-256, 64 hexadecimal digits or sha256//Base64; "${pin[unreadable]}" is neither`,
    )
  for (const [name, file] of Object.entries({ ca, cert, key })) {
    const problem = file === null ? null : contentProblem(name, file)
    if (problem !== null) return fileProblem(name, problem)
  }
  try {
    currentContext(options)
    return null
  } catch (error) {
    const files = Object.entries({ ca, cert, key }).filter(([, file]) => file !== null)
    const named = files.map(([name, file]) => `${name}: ${file}`).join(', ')
    return fileProblem(files[0]?.[0] ?? 'ca', `${named}: ${(error as Error).message}`)
  }
}

/** Returns the name of a TLS option that is set, to report it if TLS is off; null if none is set. */
export function givenOf({ verify, ca, sni, verifyname, pin, cert, key }: TlsOptions): string | null {
  const given = { verify: verify || null, ca, sni, verifyname, pin: pin[0] ?? null, cert, key }
  return Object.entries(given).find(([, value]) => value !== null)?.[0] ?? null
}

function fileProblem(option: string, message: string): OptionProblem {
  return { ...problemOf(option, message), isOfFile: true }
}

function contentProblem(name: string, file: string): string | null {
  let text: string
  try {
    text = readText(file)
  } catch (error) {
    return `${name}: ${file}: ${(error as Error).message}`
  }
  // OpenSSL reads an empty or foreign file as no certificates, so that nothing would be trusted.
  return text.includes('-----BEGIN ') ? null : `${name}: ${file} holds nothing in PEM form`
}

const contexts = new Map<string, { readonly stamp: string; readonly context: SecureContext }>()

/**
 * Returns the context. While a file is missing or incomplete, the last valid context is used, because the file says
 * nothing about a server. Throws `CannotAsk` if there is none.
 */
export function contextFor(options: TlsOptions): SecureContext {
  try {
    return currentContext(options)
  } catch (error) {
    const known = contexts.get(keyOf(options))
    if (known) return known.context
    const files = [options.ca, options.cert, options.key].filter(file => file !== null)
    if (files.length === 0) throw error
    throw new CannotAsk(`${files.join(', ')} cannot be used: ${whyUnreadable(error as Error)}`)
  }
}

/** Loading the authorities takes a millisecond, so equal settings share a context until one of their files changes. */
function currentContext(options: TlsOptions): SecureContext {
  const stamp = [options.ca, options.cert, options.key].map(stampOf).join()
  const known = contexts.get(keyOf(options))
  if (known?.stamp === stamp) return known.context
  const context = newContext(options)
  contexts.set(keyOf(options), { stamp, context })
  return context
}

function keyOf({ verify, ca, cert, key, minversion }: TlsOptions): string {
  return JSON.stringify([verify, ca, cert, key, minversion])
}

function newContext({ verify, ca, cert, key, minversion }: TlsOptions): SecureContext {
  return createSecureContext({
    // Without verification nothing is trusted, so the default authorities are not loaded.
    ...(verify ? {} : { ca: [] }),
    ...(ca === null ? {} : { ca: authoritiesIn(ca) }),
    ...(cert === null ? {} : { cert: readText(cert), key: readText(key ?? cert) }),
    minVersion: minversion,
    // OpenSSL 3 allows the two oldest versions only at security level 0.
    ...(minversion < 'TLSv1.2' ? { ciphers: 'DEFAULT@SECLEVEL=0' } : {}),
  })
}

/** Parses every certificate, because OpenSSL skips those that it cannot read. Throws for an invalid one. */
function authoritiesIn(file: string): string[] {
  const text = readText(file)
  const found = text.match(/-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]+-----END \1-----/g) ?? []
  if (found.length === 0 || found.length !== text.split(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/).length - 1)
    throw new Error('no certificates, or a part of one')
  for (const pem of found) new X509Certificate(pem)
  return found
}

function stampOf(file: string | null): string {
  if (file === null) return ''
  const { mtimeMs, size, ino } = statSync(file)
  return `${mtimeMs} ${size} ${ino}`
}

export interface TlsPeer extends Destination {
  /** The name for SNI and verification, or null. */
  readonly name: string | null
  readonly alpn?: readonly string[]
  /** An open connection on which to start TLS; absent means a new one. */
  readonly socket?: Socket
  /** The session of another connection to the same server, to be resumed. */
  readonly session?: Buffer | undefined
  /** True if the caller reads the chain of certificates (`getPeerCertificate`). */
  readonly readsChain?: boolean
}

/** Connects and completes the handshake. The signal destroys the connection. */
export async function connectTls(
  peer: TlsPeer,
  options: TlsOptions,
  context: RunContext,
): Promise<TLSSocket> {
  const { host, port, localAddress, name, alpn, session, readsChain = false } = peer
  const { signal, phase } = context
  const secureContext = contextFor(options)
  // Node's TLS opens no socket with a mark.
  const plain = peer.socket ?? (peer.marked && (await openTcp(peer, context)))
  const servername = options.sni ?? (name !== null && !parseAddress(name) ? name : '')
  const verifyname = options.verifyname ?? (servername || (name ?? host))
  phase(plain ? 'handshake' : 'connect')
  let identity: Error | undefined
  let certificate: X509Certificate | undefined
  const shown = () => {
    certificate ??= shownBy(socket)
    return certificate
  }
  const socket: TLSSocket = connect({
    // For an existing connection, Node 24 uses these to find the owner of the session.
    host,
    port,
    ...(plain ? { socket: plain } : {}),
    ...(localAddress === undefined ? {} : { localAddress }),
    servername,
    secureContext,
    // Verified below, while the certificate is still available: Node would discard it with the connection.
    rejectUnauthorized: false,
    checkServerIdentity: (_host, described) => {
      const certificate = readsChain ? described : shown()
      identity = certificate && nameProblem(certificate, verifyname)
      return identity
    },
    ...(alpn ? { ALPNProtocols: [...alpn] } : {}),
    ...(session ? { session } : {}),
  })
  const showChain = readsChain ? () => {} : hideChain(socket)
  // Without a listener, an error after the run would end the process.
  socket.on('error', () => {})
  addAbortSignal(signal, socket)
  try {
    if (!plain) await once(socket, 'connect')
    phase('handshake')
    await once(socket, 'secureConnect')
    showChain()
    if (options.verify && !socket.authorized) throw identity ?? untrusted(socket)
    if (options.pin.length > 0) verifyPin(readsChain ? socket.getPeerCertificate() : shown(), options.pin)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** A certificate that is not trusted: OpenSSL's error code, and subject and validity for people. */
class Untrusted extends Error {
  readonly code: string
  readonly whose: string

  constructor(code: string, whose: string) {
    super(code)
    this.code = code
    this.whose = whose
  }
}

function untrusted(socket: TLSSocket): Untrusted {
  const { authorizationError } = socket
  const code = (authorizationError as { code?: string } | null)?.code ?? String(authorizationError)
  const { subject, valid_from, valid_to } = socket.getPeerCertificate()
  if (subject === undefined) return new Untrusted(code, '')
  const name = [subject.CN].flat()[0] ?? Object.values(subject).flat()[0] ?? 'no name'
  return new Untrusted(code, `; it is for ${name}, valid from ${valid_from} to ${valid_to}`)
}

class NotPinned extends Error {}

function verifyPin(certificate: Shown | undefined, pins: readonly string[]): void {
  const problem = pinProblemOf(certificate, pins)
  if (problem !== null) throw new NotPinned(problem)
}

/** Returns the answer for a TLS error, with the remedy; null for any other error. */
export function tlsAnswer(error: unknown): Answer | null {
  const { code: said = '', message, syscall } = error as NodeJS.ErrnoException
  // OpenSSL 3.5 (Node 22.23 and later) has renamed the old alerts.
  const code = said.replace('SSL/TLS_ALERT', 'SSLV3_ALERT')
  if (error instanceof NotPinned) return down('tls', message)
  // Node's error for a connection closed during the handshake. A reset by the server is a failed `read`.
  if (code === 'ECONNRESET' && syscall !== 'read' && message.includes('before secure TLS'))
    return down('closed', 'closed during the TLS handshake')
  const advice = ADVICE[code]
  if (advice) return down('tls', `${advice}${error instanceof Untrusted ? error.whose : ''} (${code})`)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return down(
      'tls',
      `the certificate is for a different name: set verifyname. ${message.slice(0, 200)} (${code})`,
    )
  const alert = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_ALERT_(\w+)$/.exec(code)?.[1]
  if (alert)
    return down(
      'tls',
      `the server ended the handshake: ${alert.toLowerCase().replaceAll('_', ' ')} (${code})`,
    )
  return null
}

const UNKNOWN_AUTHORITY = 'the certificate comes from an authority that is not trusted: set ca'
const WANTS_CERTIFICATE = 'the server requires a client certificate: set cert and key'
const NO_COMMON_VERSION = 'no protocol version in common: lower minversion or update the server'

const ADVICE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired: renew it',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet: compare the clocks',
  CERT_REVOKED: 'the certificate has been revoked: renew it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed: set ca to trust it',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'the issuer of the certificate is unknown: set ca, or let the server send its intermediate certificates',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS on this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not speak TLS on this port',
  ERR_SSL_HTTP_REQUEST: 'the server does not speak TLS on this port',
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_VERSION,
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'the server does not know the requested name: set sni',
  ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME: 'the server does not know the requested name: set sni',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: WANTS_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'handshake failure: no cipher in common, or the server requires a client certificate: set cert and key',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "the server does not accept lvsd's certificate: check cert",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the server does not know the issuer of lvsd's certificate: check cert",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'the server does not speak HTTP/2: leave http2 out',
}
