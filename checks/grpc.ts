import { once } from 'node:events'
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import type { Socket } from 'node:net'
import { type Answer, defineCheck, down, type RunContext, type Target, up } from '../src/check/check.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { problemOf } from '../src/check/option-problem.js'
import { open } from './lib/connect.js'
import { CheckFailure } from './lib/failure.js'
import { hostHeader, hostName, virtualhostProblem } from './lib/http.js'
import { optionalTls, optionalTlsProblem, withLibrary } from './lib/library.js'
import { bodyOf, sessionOn } from './lib/session.js'

/** Maximum size of the answer in bytes. The answer has two bytes in a frame of five. */
const LIMIT = 65_536

function grpcOptions(kit: OptionKit) {
  return {
    service: kit.text('', 'Name of the service to check; empty means the whole server'),
    virtualhost: kit.maybeText('The :authority of the request; by default the address and port'),
    headers: kit.secretMap('Further metadata of the request, by name'),
    ...optionalTls(kit),
  }
}

type Wanted = Parsed<ReturnType<typeof grpcOptions>>

/**
 * Calls the standard health service, grpc.health.v1.Health/Check. It is a single HTTP/2 request, which Node supports.
 * The gRPC library would add name resolution, load balancing and reconnects, which a check must not do.
 */
export const check = defineCheck({
  name: 'grpc',
  summary: 'asks the standard health service of a gRPC server',

  options: grpcOptions,

  validate(options) {
    const { virtualhost, headers } = options
    const odd = virtualhostProblem(virtualhost)
    if (odd) return odd
    const bad = Object.entries(headers).find(([name, value]) => !isMetadata(name, value))
    if (bad)
      return problemOf(
        ['headers', bad[0]],
        `"${bad[0]}" or its value is not valid metadata: names are lower-case, values are ASCII text`,
      )
    return optionalTlsProblem(options)
  },

  expects: ({ service }) => `SERVING for ${service === '' ? 'the whole server' : `the service ${service}`}`,

  takesPath: () => true,
  run(target, options, context) {
    const tls = options.tls ? { ...options, sni: options.sni ?? hostName(options.virtualhost) } : null
    return withLibrary(open(target, tls, context, ['h2']), context, socket =>
      'alpnProtocol' in socket && socket.alpnProtocol !== 'h2'
        ? Promise.resolve(down('garbage', 'the server does not offer HTTP/2 in the handshake (ALPN h2)'))
        : ask(socket, target, options, context),
    )
  },
})

function isMetadata(name: string, value: string): boolean {
  return /^[0-9a-z_.-]+$/.test(name) && !name.startsWith('grpc-') && /^[\x20-\x7e]*$/.test(value)
}

interface Reply {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly trailers: IncomingHttpHeaders
}

async function ask(
  socket: Socket,
  target: Target,
  options: Wanted,
  { phase, timeout }: RunContext,
): Promise<Answer> {
  const authority = hostHeader(target, options.virtualhost, options.tls ? 'https' : 'http')
  const session = sessionOn(socket, `http://${authority}`, LIMIT)
  try {
    const stream = session.request({
      ':method': 'POST',
      ':scheme': options.tls ? 'https' : 'http',
      ':authority': authority,
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${Math.min(timeout, 99_999_999)}m`,
      'user-agent': 'lvsd',
      ...options.headers,
    })
    const reply = replyOf(stream, phase, options.service)
    return judge(await Promise.race([reply, session.broken]), options.service)
  } finally {
    session.close()
  }
}

async function replyOf(
  stream: ClientHttp2Stream,
  phase: RunContext['phase'],
  service: string,
): Promise<Reply> {
  let trailers: IncomingHttpHeaders = {}
  stream.once('trailers', received => {
    trailers = received
  })
  const answered = bodyOf(stream)
  // An error may occur before the body is read.
  answered.on('error', () => {})
  stream.end(requestFrame(service))
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders]
  phase('body')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answered) {
    chunks.push(chunk)
    length += chunk.length
    if (length > LIMIT) throw new CheckFailure('too-big', `more than ${LIMIT} bytes`)
  }
  return { headers, body: Buffer.concat(chunks), trailers }
}

/** Encodes HealthCheckRequest { string service = 1 } in an uncompressed frame. */
export function requestFrame(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function varint(number: number): Buffer {
  const bytes = []
  for (let rest = number; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

/** HealthCheckResponse.ServingStatus. */
const SERVING = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']

function judge({ headers, body, trailers }: Reply, service: string): Answer {
  const about = service === '' ? 'the server' : `the service ${service}`
  const http = headers[':status']
  if (!String(headers['content-type'] ?? '').startsWith('application/grpc'))
    return down('garbage', `HTTP status ${http}, but no gRPC answer`)
  // If the server fails at once, the status is in the headers.
  const status = Number(trailers['grpc-status'] ?? headers['grpc-status'] ?? Number.NaN)
  if (status !== 0)
    return failed(status, String(trailers['grpc-message'] ?? headers['grpc-message'] ?? ''), about)
  const serving = servingOf(body)
  if (serving === null) return down('garbage', 'the answer is not a HealthCheckResponse')
  const word = SERVING[serving] ?? `status ${serving}`
  return serving === 1
    ? up(`${about} is ${word}`)
    : down('unexpected', `${about} is ${word}, expected SERVING`)
}

/** gRPC status codes with a specific meaning, from gRPC's statuscodes.md. */
const CODES: Readonly<Record<number, (about: string) => string>> = {
  4: () => 'the server did not answer within the deadline it was given (DEADLINE_EXCEEDED)',
  5: about => `the health service does not know ${about} (NOT_FOUND): check the option service`,
  7: () => 'the server does not allow it (PERMISSION_DENIED)',
  12: () => 'the server has no health service (UNIMPLEMENTED): register grpc.health.v1.Health in it',
  14: () => 'the server says it is not available (UNAVAILABLE)',
  16: () => 'the server requires authentication (UNAUTHENTICATED): set metadata under headers',
}

function failed(status: number, message: string, about: string): Answer {
  if (Number.isNaN(status)) return down('truncated', 'the answer ended without a grpc-status')
  const told = CODES[status]?.(about) ?? `the server answers with the gRPC code ${status}`
  return down('status', message === '' ? told : `${told}; it says: ${decoded(message).slice(0, 200)}`)
}

/** Decodes the percent-encoding of gRPC messages. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message)
  } catch {
    return message
  }
}

/** Returns the status in the first frame: field 1, a varint; absent means 0. Returns null if the frame is invalid. */
export function servingOf(body: Buffer): number | null {
  if (body.length < 5 || body[0] !== 0) return null
  const message = body.subarray(5, 5 + body.readUInt32BE(1))
  if (message.length !== body.readUInt32BE(1)) return null
  if (message.length === 0) return 0
  const [tag, value, ...more] = message
  return tag === 0x08 && value !== undefined && value < 128 && more.length === 0 ? value : null
}
