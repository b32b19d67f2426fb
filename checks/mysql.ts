import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import type { Connection, ConnectionOptions } from 'mysql2'
import { type Answer, defineCheck, down, type RunContext, type Target, up } from '../src/check/check.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { open } from './lib/connect.js'
import { signByPassword } from './lib/ed25519.js'
import { CheckFailure } from './lib/failure.js'
import { monitorSocket, optionalTls, optionalTlsProblem, withLibrary } from './lib/library.js'
import { rowsFor, said, sqlExpectation, sqlOptions, sqlProblem } from './lib/sql.js'
import { connectTls } from './lib/tls.js'

function mysqlOptions(kit: OptionKit) {
  return { ...sqlOptions(kit, 'Database; by default none is chosen'), ...optionalTls(kit) }
}

type Wanted = Parsed<ReturnType<typeof mysqlOptions>>

/** Logs in to MySQL or MariaDB and executes a query. */
export const check = defineCheck({
  name: 'mysql',
  aliases: ['mariadb'],
  summary: 'logs in to MySQL or MariaDB and asks for rows',
  defaultPort: 3306,

  options: mysqlOptions,
  validate: options => sqlProblem(options) ?? optionalTlsProblem(options),
  expects: options => sqlExpectation(options),

  takesPath: () => true,
  run: (target, options, context) =>
    withLibrary(open(target, null, context), context, socket => talk(socket, { target, options, context })),
})

interface Asked {
  readonly target: Target
  readonly options: Wanted
  readonly context: RunContext
}

async function talk(socket: Socket, asked: Asked): Promise<Answer> {
  const { options, context } = asked
  const { createConnection } = await import('mysql2')
  const connection = createConnection(settings(socket, options))
  guard(connection)
  const ready = [loggedIn(connection)]
  if (options.tls) ready.push(encryptAsOurs(connection, socket, asked))
  try {
    await Promise.race(ready)
    if (options.request.trim() === '') return up(`logged in as ${options.login}`)
    context.phase('body')
    limit(connection, context.timeout)
    return await ask(connection, options)
  } catch (error) {
    const answer = refusal(error, options)
    if (answer) return answer
    throw error
  } finally {
    // A clean end of the connection, so that the server does not log an error.
    connection.end(() => {})
  }
}

function settings(socket: Socket, { login, passwd, database, tls }: Wanted): ConnectionOptions {
  return {
    stream: () => socket,
    user: login,
    password: passwd,
    ...(database === null ? {} : { database }),
    ...(tls ? { ssl: {} } : {}),
    connectTimeout: 0,
    rowsAsArray: true,
    typeCast: field => textOf(field.buffer()),
    authPlugins: { client_ed25519: () => ed25519(passwd) },
    // Security: generate no code from server data, and send no local files to the server.
    disableEval: true,
    flags: ['-LOCAL_FILES'],
  }
}

/** The library makes the server send text as UTF-8. A value that is not valid UTF-8 is returned as Latin-1. */
function textOf(value: Buffer | null): string | null {
  if (value === null) return null
  return value.toString(isUtf8(value) ? 'utf8' : 'latin1')
}

/** MariaDB's plug-in ed25519 signs the 32 random bytes of the server. */
function ed25519(passwd: string): (challenge: Buffer) => Buffer {
  return challenge => signByPassword(passwd, challenge.subarray(0, 32))
}

/**
 * Maximum number of plug-in changes. A MariaDB account may have several plug-ins, which are tried in sequence. Each
 * costs time; ed25519 takes 2 ms.
 */
const MOST_WISHES = 4
/** Maximum number of packets before the login is complete. The longest login with one plug-in has six. */
const MOST_LOGINS = 16

/**
 * Validates each packet before the library handles it. For a wrong sequence number the library would only print a line.
 * An error may have any sequence number, because servers send errors without a request.
 */
function guard(connection: Connection): void {
  const inner = connection as unknown as Inner
  const handle = inner.handlePacket.bind(inner)
  let logins = 0
  let wishes = 0
  inner.handlePacket = packet => {
    if (packet && packet.sequenceId !== inner.sequenceId) {
      if (packet.peekByte() !== ERROR)
        throw new CheckFailure('garbage', `packet ${packet.sequenceId}, expected ${inner.sequenceId}`)
      inner.sequenceId = packet.sequenceId
    }
    if (!inner.authorized && ++logins > MOST_LOGINS)
      throw new CheckFailure('garbage', `more than ${MOST_LOGINS} packets before a login`)
    if (!inner.authorized && packet?.peekByte() === ANOTHER && ++wishes > MOST_WISHES)
      throw new CheckFailure('garbage', `more than ${MOST_WISHES} requests for other authentication plug-ins`)
    handle(packet)
  }
}

/** First bytes of an error packet, and of a request for another plug-in. */
const ERROR = 0xff
const ANOTHER = 0xfe

/**
 * Replaces the library's TLS settings by those of all checks. The promise settles only on a failure, because the
 * library would replace the error's code by its own.
 */
function encryptAsOurs(
  connection: Connection,
  plain: Socket,
  { target, options, context }: Asked,
): Promise<never> {
  const inner = connection as unknown as Inner
  return new Promise((_resolve, reject) => {
    inner.startTLS = done => {
      plain.removeAllListeners('data')
      const peer = { host: target.address.text, port: target.port, name: null, socket: plain }
      connectTls(peer, options, context).then(secure => {
        monitorSocket(secure)
        secure.on('error', error => plain.destroy(error))
        secure.on('data', (data: Buffer) => inner.packetParser.execute(data))
        inner.stream = secure
        done()
      }, reject)
    }
  })
}

/** Members of the library's connection that its types do not declare. */
interface Inner {
  stream: Socket
  sequenceId: number
  readonly authorized: boolean
  handlePacket(packet?: { readonly sequenceId: number; peekByte(): number }): void
  readonly packetParser: { execute(data: Buffer): void }
  startTLS(done: () => void): void
}

function loggedIn(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    // The listener also receives later errors, after the promise has settled.
    connection.on('error', reject)
    connection.connect(error => (error ? reject(error) : resolve()))
  })
}

/**
 * Limits the execution time of the query. The server would continue it after the connection is closed, and such queries
 * would accumulate. MariaDB reads the first comment, MySQL the second. A server that reads neither reports an error,
 * which is ignored.
 */
function limit(connection: Connection, timeout: number): void {
  const inSeconds = `/*M!100101 SESSION max_statement_time = ${timeout / 1000} */`
  const inMilliseconds = `/*!50708 SESSION max_execution_time = ${Math.ceil(timeout)} */`
  connection.query(`SET ${inSeconds} ${inMilliseconds}`, () => {})
}

function ask(connection: Connection, options: Wanted): Promise<Answer> {
  const rows = rowsFor(options)
  let affected = 0
  return new Promise((resolve, reject) => {
    connection.on('error', reject)
    const query = connection.query(options.request)
    query.on('result', (row: unknown) => {
      if (!Array.isArray(row)) affected += (row as { affectedRows: number }).affectedRows
      else if (rows.add(row[0])) resolve(rows.end())
    })
    query.on('end', () => resolve(rows.end(affected)))
    query.on('error', reject)
  })
}

/** Returns the answer for an error that the server reports, which has an error number; else null. */
function refusal(error: unknown, { login }: Wanted): Answer | null {
  const { errno = 0, code, message } = error as Error & { errno?: number; code?: string }
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return down('tls', 'the server does not offer TLS: leave out tls')
  const plugin = pluginIn(code, message)
  if (plugin !== null)
    return down(
      'status',
      `the server requires ${plugin} for ${login}, which lvsd does not support: ${ADVICE}`,
    )
  return errno > 0 ? down('status', `${said(message)} (${code ?? errno})`) : null
}

const ADVICE =
  'give the user one of mysql_native_password, caching_sha2_password, sha256_password and ed25519'

/** Returns the name of a plug-in that the library does not support or does not send a password to; else null. */
function pluginIn(code: string | undefined, message: string): string | null {
  if (code === 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED') return 'mysql_clear_password'
  const [, name] = /^Server requests authentication using unknown plugin ([\w-]{1,64})\./.exec(message) ?? []
  return name ?? null
}
