/** Shared by checks that log in or use STARTTLS. */

import { createHmac } from 'node:crypto'
import type { OptionKit, Parsed } from '../../src/check/option-kit.js'
import { type OptionProblem, problemOf } from '../../src/check/option-problem.js'
import { givenOf, type TlsOptions, tlsOptions, tlsProblem } from './tls.js'

export function loginOptions(kit: OptionKit, what: string) {
  return {
    login: kit.maybeText(`User name to log in with; ${what}`),
    passwd: kit.secret(null, 'Password to log in with'),
  }
}

export type LoginOptions = Parsed<ReturnType<typeof loginOptions>>

/** Returns the error in a login, or null. Name and password are each sent in one line and must not contain line ends. */
export function loginProblem({ login, passwd }: LoginOptions): OptionProblem | null {
  if (passwd !== null && login === null) return problemOf('passwd', 'passwd needs login')
  const long = Object.entries({ login, passwd }).find(([, text]) => /[\r\n\0]/.test(text ?? ''))
  return long ? problemOf(long[0], 'login and passwd must each be one line') : null
}

/** Options for TLS from the start or by STARTTLS. `starttls` is the default of that option. */
export function encryptionOptions(kit: OptionKit, starttls = false) {
  return {
    tls: kit.flag(false, 'Use TLS from the start, as on a separate TLS port; starttls is not used then'),
    starttls: kit.flag(starttls, 'Ask for TLS once connected; a server that does not offer it is down'),
    ...tlsOptions(kit),
  }
}

export type EncryptionOptions = Parsed<ReturnType<typeof encryptionOptions>>

/** Returns the error in the options, or null. */
export function encryptionProblem(options: EncryptionOptions): OptionProblem | null {
  const given = givenOf(options)
  const isPlain = !options.tls && !options.starttls
  return isPlain && given !== null
    ? problemOf(given, `${given} needs starttls: true or tls: true`)
    : tlsProblem(options)
}

/** Where TLS starts: at the connection, at STARTTLS, or not at all. */
export interface Encryption {
  readonly tls: TlsOptions | null
  readonly starttls: TlsOptions | null
}

export function encryptionOf(options: EncryptionOptions): Encryption {
  const { tls, starttls } = options
  return { tls: tls ? options : null, starttls: starttls && !tls ? options : null }
}

/** Returns the response to a CRAM-MD5 challenge (RFC 2195). It does not contain the password. */
export function cramMd5(challenge: string, login: string, passwd: string): string {
  const digest = createHmac('md5', passwd).update(Buffer.from(challenge, 'base64')).digest('hex')
  return base64(`${login} ${digest}`)
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
