import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { on } from 'node:events'
import { type Answer, defineCheck, down, type RunContext, type Target, up } from '../src/check/check.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { problemOf } from '../src/check/option-problem.js'
import { bracketed } from '../src/core/address.js'
import { connectUdp } from './lib/destination.js'
import { brief, converse, type Dialogue } from './lib/dialogue.js'
import { givenOf, tlsOptions, tlsProblem } from './lib/tls.js'

/** Milliseconds until the first repetition of a request over UDP, and the maximum interval (RFC 3261, T1 and T2). */
const T1 = 500
const T2 = 4000

function sipOptions(kit: OptionKit) {
  return {
    login: kit.maybeText('User to ask about, user@host; by default the server itself'),
    transport: kit.choice(
      ['udp', 'tcp', 'tls'],
      'udp',
      'Protocol; over UDP the request is repeated until the deadline; TLS uses port 5061',
    ),
    status: kit.ranges('200', 'Status codes that are up: 200, 200-299 or a list of them', {
      min: 200,
      max: 699,
    }),
    ...tlsOptions(kit),
  }
}

type SipOptions = Parsed<ReturnType<typeof sipOptions>>

/** Sends an OPTIONS request to a SIP server. */
export const check = defineCheck({
  name: 'sip',
  summary: 'asks a SIP server for its OPTIONS, over UDP, TCP or TLS',
  defaultPort: 5060,

  options: sipOptions,

  validate(options) {
    const { login, transport } = options
    if (login !== null && !/^[^\s<>@"]+(@[^\s<>@"]+)?$/.test(login))
      return problemOf('login', `login takes user@host, not "${login}"`)
    const given = givenOf(options)
    return transport !== 'tls' && given !== null
      ? problemOf(given, `${given} needs transport: tls`)
      : tlsProblem(options)
  },

  overTcp: ({ transport }) => transport !== 'udp',

  takesPath: () => true,
  run: (target, options, context) =>
    options.transport === 'udp' ? askUdp(target, options, context) : askStream(target, options, context),
})

interface Question {
  readonly text: string
  readonly callId: string
}

/** Returns a request with new identifiers, which distinguish its response from those to other requests. */
function questionOf({ address, port }: Target, { login, transport }: SipOptions, local: Local): Question {
  const [branch, tag, callId] = [16, 8, 16].map(size => randomBytes(size).toString('hex'))
  const by = transport === 'udp' ? '' : `;transport=${transport}`
  const who = login ?? `${hostOf(address.text)}:${port}${by}`
  const here = `${hostOf(local.address)}:${local.port}`
  const lines = [
    `OPTIONS sip:${who} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${here};branch=z9hG4bK${branch};rport`,
    'Max-Forwards: 70',
    `To: <sip:${who}>`,
    `From: <sip:${login ?? `lvsd@${hostOf(local.address)}`}>;tag=${tag}`,
    `Call-ID: ${callId}`,
    'CSeq: 1 OPTIONS',
    `Contact: <sip:lvsd@${here}${by}>`,
    'Accept: application/sdp',
    'User-Agent: lvsd',
    'Content-Length: 0',
  ]
  return { text: `${lines.join('\r\n')}\r\n\r\n`, callId: callId ?? '' }
}

interface Local {
  readonly address: string
  readonly port: number
}

/** Returns an address in URI notation, without its zone. */
function hostOf(text: string): string {
  return bracketed(text.replace(/%.*/, ''))
}

/** Returns null if the message is not a final response to this request. */
function judge(message: string, { callId }: Question, { status }: SipOptions): Answer | null {
  const [first = '', ...headers] = message.split(/\r?\n/)
  const code = Number(/^SIP\/2\.0 ([1-6]\d\d)(?: |$)/.exec(first)?.[1])
  if (Number.isNaN(code)) return down('garbage', `"${brief(first)}" in answer to OPTIONS, expected SIP/2.0`)
  const isOurs = headers.some(line => /^(call-id|i)\s*:/i.test(line) && line.trim().endsWith(callId))
  if (code < 200 || !isOurs) return null
  const isWanted = status.some(([low, high]) => code >= low && code <= high)
  return isWanted
    ? up(brief(first))
    : down('status', `"${brief(first)}" in answer to OPTIONS, expected ${shown(status)}`)
}

function shown(status: SipOptions['status']): string {
  return status.map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`)).join(', ')
}

async function askUdp(target: Target, options: SipOptions, { signal, phase }: RunContext): Promise<Answer> {
  const family = target.address.family === 'ipv6' ? 6 : 4
  const socket = createSocket({
    type: `udp${family}`,
    lookup: (host, _options, callback) => callback(null, host, family),
  })
  let timer: NodeJS.Timeout | undefined
  try {
    phase('send')
    await connectUdp(socket, target, signal)
    const question = questionOf(target, options, socket.address())
    const ask = (wait: number) => {
      socket.send(question.text)
      timer = setTimeout(() => ask(Math.min(2 * wait, T2)), wait)
    }
    const messages = on(socket, 'message', { signal })
    ask(T1)
    phase('first byte')
    for await (const [message] of messages) {
      const [head = '', end] = String(message).split(/\r?\n\r?\n/, 2)
      if (end === undefined) return down('garbage', `"${brief(head)}" ends within its headers`)
      const answer = judge(head, question, options)
      if (answer) return answer
    }
    return down('closed', 'no answer to OPTIONS')
  } finally {
    clearTimeout(timer)
    socket.close()
  }
}

function askStream(target: Target, options: SipOptions, context: RunContext): Promise<Answer> {
  return converse(target, context, options.transport === 'tls' ? options : null, async dialogue => {
    const question = questionOf(target, options, dialogue.local)
    dialogue.send(question.text.slice(0, -'\r\n'.length), 'OPTIONS')
    for (;;) {
      const answer = judge(await hearHeaders(dialogue), question, options)
      if (answer) return answer
    }
  })
}

/** Reads the headers up to an empty line. Servers may send empty lines before them as keep-alive. */
async function hearHeaders(dialogue: Dialogue): Promise<string> {
  const lines: string[] = []
  for (;;) {
    const line = await dialogue.line()
    if (line === '' && lines.length > 0) return lines.join('\n')
    if (line !== '') lines.push(line)
    if (lines[0] !== undefined && !lines[0].startsWith('SIP/2.0 ')) return lines[0]
  }
}
