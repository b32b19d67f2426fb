import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import type { Connection, ConnectionOptions } from 'mysql2'
import { type Answer, defineCheck, down, type RunContext, type Target, up } from '../src/check/check.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { open } from './lib/connect.js'
import { signByPassword } from './lib/ed25519.js'
import { CheckFailure } from './lib/failure.js'
import { monitorSocket, optionalTls, optionalTlsProblem, withLibrary } from './lib/library.js'
import { rowsFor, said, sqlOptions, sqlProblem } from './lib/sql.js'
import { connectTls } from './lib/tls.js'

function mysqlOptions(kit: OptionKit) {
  return { ...sqlOptions(kit, 'Database; by default none is chosen'), ...optionalTls(kit) }
}

type Wanted = Parsed<ReturnType<typeof mysqlOptions>>

/** Logs in to MySQL or MariaDB and asks for rows. */
export const check = defineCheck({
  name: 'mysql',
  aliases: ['mariadb'],
  summary: 'logs in to MySQL or MariaDB and asks for rows',
  defaultPort: 3306,

  options: mysqlOptions,
  validate: options => sqlProblem(options) ?? optionalTlsProblem(options),

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
    // A word of goodbye, so that the server's log has no complaint.
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
    // No code made of what a server sends, and no file of ours for one that asks for it.
    disableEval: true,
    flags: ['-LOCAL_FILES'],
  }
}

/** The server sends text as UTF-8, to which the library sets it; what is none is bytes. */
function textOf(value: Buffer | null): string | null {
  if (value === null) return null
  return value.toString(isUtf8(value) ? 'utf8' : 'latin1')
}

/** MariaDB's plug-in of this name: its 32 random bytes are signed. */
function ed25519(passwd: string): (challenge: Buffer) => Buffer {
  return challenge => signByPassword(passwd, challenge.subarray(0, 32))
}

/** An account of MariaDB may have several plug-ins, tried one after the other. Each is work, ed25519 two milliseconds. */
const MOST_WISHES = 4
/** Packets until a server lets somebody in; the longest login with one plug-in has six. */
const MOST_LOGINS = 16

/**
 * Looks at each packet before the library does. Where numbers are left out it would print a line and go on; an error may
 * bear any number, since servers send it of their own accord.
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
      throw new CheckFailure('garbage', `more than ${MOST_WISHES} wishes for other plug-ins`)
    handle(packet)
  }
}

/** The first bytes of an error, and of a wish for another plug-in. */
const ERROR = 0xff
const ANOTHER = 0xfe

/**
 * The library turns to TLS with settings of its own; ours are those of every other check. Settles only where that fails:
 * the library would put a code of its own in place of what happened.
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

/** What of the library's connection is not in its types. */
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
    // Also heard later, when nobody waits any more.
    connection.on('error', reject)
    connection.connect(error => (error ? reject(error) : resolve()))
  })
}

/**
 * The server goes on with a question though nobody listens any more; in time they would take all of its places. MariaDB
 * reads the first comment, MySQL the second; one that reads neither finds no sense in it, and nothing is lost.
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

/** What the server itself says against it: its errors have a number of its own. */
function refusal(error: unknown, { login }: Wanted): Answer | null {
  const { errno = 0, code, message } = error as Error & { errno?: number; code?: string }
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return down('tls', 'the server does not offer TLS: leave out tls')
  const plugin = pluginIn(code, message)
  if (plugin !== null)
    return down('status', `the server wants ${login} to log in by ${plugin}, which lvsd cannot do: ${ADVICE}`)
  return errno > 0 ? down('status', `${said(message)} (${code ?? errno})`) : null
}

const ADVICE =
  'give the user one of mysql_native_password, caching_sha2_password, sha256_password and ed25519'

/** The plug-in that the library does not know, or does not want to send a password to; null where it is none of that. */
function pluginIn(code: string | undefined, message: string): string | null {
  if (code === 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED') return 'mysql_clear_password'
  const [, name] = /^Server requests authentication using unknown plugin ([\w-]{1,64})\./.exec(message) ?? []
  return name ?? null
}
