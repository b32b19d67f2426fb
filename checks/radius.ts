import { randomBytes, randomInt } from 'node:crypto'
import { type Answer, defineCheck, down, up } from '../src/check/check.js'
import { problemOf } from '../src/check/option-problem.js'
import { askUdp } from './lib/datagram.js'
import { CODES, decodeReply, encodeRequest, type Reply } from './lib/radius.js'

const WORDS: Readonly<Record<number, string>> = {
  [CODES.accessAccept]: 'Access-Accept',
  [CODES.accessReject]: 'Access-Reject',
  [CODES.accessChallenge]: 'Access-Challenge',
}

/** Asks a RADIUS server to authenticate a user, or without a user for its status (Status-Server, RFC 5997). */
export const check = defineCheck({
  name: 'radius',
  summary: 'asks a RADIUS server to accept a user, or for its status',
  defaultPort: 1812,
  connects: false,

  options: kit => ({
    secret: kit.secret(
      undefined,
      'Secret that the server shares with this machine; a server that knows another one stays silent',
    ),
    login: kit.maybeText('User name; without one the server is asked for its status'),
    passwd: kit.secret('', 'Password'),
    messageauthenticator: kit.flag(
      false,
      'The answer must contain a Message-Authenticator. Without it, an attacker on the network path can forge the answer (BlastRADIUS, CVE-2024-3596). Set this if the server sends it, as FreeRADIUS does from 3.2.5 on',
    ),
    accept: kit.flag(true, 'Only Access-Accept is up; false: any answer is up, a refusal too'),
  }),

  validate({ secret, login, passwd }) {
    if (secret === '') return problemOf('secret', 'secret must not be empty')
    if (login === null && passwd !== '') return problemOf('passwd', 'passwd needs login')
    if (login !== null && (login === '' || Buffer.byteLength(login) > 253))
      return problemOf('login', 'login takes 1 to 253 bytes')
    return Buffer.byteLength(passwd) > 128 ? problemOf('passwd', 'passwd takes 128 bytes at most') : null
  },

  takesPath: () => true,
  async run(target, options, context) {
    const { secret, login, passwd } = options
    const request = {
      code: login === null ? CODES.statusServer : CODES.accessRequest,
      id: randomInt(256),
      authenticator: randomBytes(16),
      secret,
      login,
      passwd,
    }
    const reply = decodeReply(await askUdp(target, encodeRequest(request), context), request)
    return typeof reply === 'string' ? down('garbage', reply) : judge(reply, options)
  },
})

interface Wanted {
  readonly accept: boolean
  readonly messageauthenticator: boolean
}

function judge({ code, message, isAuthentic }: Reply, { accept, messageauthenticator }: Wanted): Answer {
  const word = WORDS[code] ?? `code ${code}`
  const said = message === '' ? word : `${word}: ${message.replace(/\p{Cc}+/gu, ' ')}`
  if (messageauthenticator && !isAuthentic)
    return down(
      'unexpected',
      `${said}, without Message-Authenticator: update the server, or leave messageauthenticator out`,
    )
  if (code === CODES.accessAccept || (!accept && code in WORDS)) return up(said)
  return down('status', `${said}, expected Access-Accept`)
}
