/** Shared by smtp and submission, which differ in their port and in the default of `starttls`. */

import { type Check, defineCheck, up } from '../../src/check/check.js'
import type { OptionKit, Parsed } from '../../src/check/option-kit.js'
import { type OptionProblem, problemOf } from '../../src/check/option-problem.js'
import { converse, type Dialogue } from './dialogue.js'
import { CheckFailure } from './failure.js'
import {
  base64,
  cramMd5,
  type Encryption,
  encryptionOf,
  encryptionOptions,
  encryptionProblem,
  loginOptions,
  loginProblem,
} from './login.js'
import { expectReply, hearReply } from './replies.js'

interface Kind {
  readonly name: string
  readonly summary: string
  readonly defaultPort: number
  readonly starttls: boolean
}

function smtpOptions(kit: OptionKit, starttls: boolean) {
  return {
    helo: kit.text('localhost.localdomain', 'Name by which lvsd presents itself'),
    ...loginOptions(kit, 'sent in clear text without starttls or tls'),
    ...encryptionOptions(kit, starttls),
  }
}

type SmtpOptions = Parsed<ReturnType<typeof smtpOptions>>

/** Returns a check that reads the greeting of a mail server, and starts TLS and logs in if configured. It sends no mail. */
export function smtpCheck({
  name,
  summary,
  defaultPort,
  starttls,
}: Kind): Check<ReturnType<typeof smtpOptions>> {
  return defineCheck({
    name,
    summary,
    defaultPort,
    options: kit => smtpOptions(kit, starttls),
    validate: options => smtpProblem(options),
    takesPath: () => true,
    run(target, options, context) {
      const { tls, starttls } = encryptionOf(options)
      return converse(target, context, tls, async dialogue => {
        const { shown } = await expectReply(dialogue, '2')
        await introduce(dialogue, options, starttls)
        await dialogue.leave('QUIT')
        const login = options.login === null ? '' : `, logged in as ${options.login}`
        return up(`${shown}${tls || starttls ? ', TLS' : ''}${login}`)
      })
    },
  })
}

function smtpProblem(options: SmtpOptions): OptionProblem | null {
  if (!/^[\x21-\x7e]+$/.test(options.helo))
    return problemOf('helo', `helo takes a name without blanks, not "${options.helo}"`)
  return loginProblem(options) ?? encryptionProblem(options)
}

async function introduce(
  dialogue: Dialogue,
  options: SmtpOptions,
  starttls: Encryption['starttls'],
): Promise<void> {
  let offers = await hello(dialogue, options.helo)
  if (starttls) {
    if (!offers.has('STARTTLS')) throw new CheckFailure('status', 'the server does not offer STARTTLS')
    dialogue.send('STARTTLS')
    await expectReply(dialogue, '220')
    await dialogue.startTls(starttls)
    offers = await hello(dialogue, options.helo)
  }
  if (options.login !== null) await logIn(dialogue, offers, options)
}

/** Returns the extensions of the server by their first word; empty if it supports only HELO. */
async function hello(dialogue: Dialogue, name: string): Promise<ReadonlyMap<string, string>> {
  dialogue.send(`EHLO ${name}`)
  const { code, lines, shown } = await hearReply(dialogue)
  if (code.startsWith('2')) return new Map(lines.slice(1).map(offer => [wordOf(offer), offer.toUpperCase()]))
  if (!code.startsWith('5')) throw dialogue.fault('status', shown, '250')
  dialogue.send(`HELO ${name}`)
  await expectReply(dialogue, '2')
  return new Map()
}

/** Some servers write `AUTH=PLAIN`. */
function wordOf(offer: string): string {
  return (offer.split(/[ =]/, 1)[0] ?? '').toUpperCase()
}

type LogIn = (dialogue: Dialogue, login: string, passwd: string) => Promise<void>

const LOGINS: Readonly<Record<string, LogIn>> = {
  PLAIN: async (dialogue, login, passwd) => {
    dialogue.send(`AUTH PLAIN ${base64(`\0${login}\0${passwd}`)}`, 'AUTH PLAIN')
  },
  LOGIN: async (dialogue, login, passwd) => {
    for (const line of ['AUTH LOGIN', base64(login)]) {
      dialogue.send(line, 'AUTH LOGIN')
      await expectReply(dialogue, '334')
    }
    dialogue.send(base64(passwd), 'AUTH LOGIN')
  },
  'CRAM-MD5': async (dialogue, login, passwd) => {
    dialogue.send('AUTH CRAM-MD5', 'AUTH CRAM-MD5')
    const { lines } = await expectReply(dialogue, '334')
    dialogue.send(cramMd5(lines[0] ?? '', login, passwd), 'AUTH CRAM-MD5')
  },
}

/** CRAM-MD5 does not reveal the password, but some servers offer it without supporting it. Under TLS it is not needed. */
const ORDER = { encrypted: ['PLAIN', 'LOGIN', 'CRAM-MD5'], plain: ['CRAM-MD5', 'PLAIN', 'LOGIN'] } as const

async function logIn(
  dialogue: Dialogue,
  offers: ReadonlyMap<string, string>,
  { tls, starttls, login, passwd }: SmtpOptions,
): Promise<void> {
  const offered = (offers.get('AUTH') ?? '').split(/[ =]/).slice(1)
  const name = ORDER[tls || starttls ? 'encrypted' : 'plain'].find(way => offered.includes(way))
  if (!name)
    throw new CheckFailure(
      'status',
      `no supported login method: the server offers ${offered.join(' ') || 'no AUTH here'}`,
    )
  await LOGINS[name]?.(dialogue, login ?? '', passwd ?? '')
  await expectReply(dialogue, '235')
}
