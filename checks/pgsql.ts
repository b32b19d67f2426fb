import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Client, Query, QueryArrayConfig } from 'pg'
import { type Answer, defineCheck, down, type RunContext, type Target, up } from '../src/check/check.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { open } from './lib/connect.js'
import { connectTo, destinationOf } from './lib/destination.js'
import { CheckFailure } from './lib/failure.js'
import { optionalTls, optionalTlsProblem, withLibrary } from './lib/library.js'
import { pgsqlMessages } from './lib/pgsql-messages.js'
import { rowsFor, said, sqlExpectation, sqlOptions, sqlProblem } from './lib/sql.js'
import { connectTls, type TlsOptions } from './lib/tls.js'

function pgsqlOptions(kit: OptionKit) {
  return {
    ...sqlOptions(kit, 'Database; by default the one named after the user'),
    ...optionalTls(kit),
  }
}

type Wanted = Parsed<ReturnType<typeof pgsqlOptions>>

/** Logs in to PostgreSQL and executes a query. */
export const check = defineCheck({
  name: 'pgsql',
  aliases: ['postgres', 'postgresql'],
  summary: 'logs in to PostgreSQL and asks for rows',
  defaultPort: 5432,

  options: pgsqlOptions,
  validate: options => sqlProblem(options) ?? optionalTlsProblem(options),
  expects: options => sqlExpectation(options),

  takesPath: () => true,
  run: (target, options, context) =>
    withLibrary(
      opened(target, options.tls ? options : null, context),
      context,
      socket => talk(socket, { target, options, context }),
      pgsqlMessages(),
    ),
})

interface Asked {
  readonly target: Target
  readonly options: Wanted
  readonly context: RunContext
}

async function talk(socket: Socket, { target, options, context }: Asked): Promise<Answer> {
  const { Client, Query, DatabaseError } = await import('pg')
  const client = clientOn(socket, options, Client)
  try {
    await client.connect()
    if (options.request.trim() === '') return up(`logged in as ${options.login}`)
    context.phase('body')
    context.signal.addEventListener('abort', () => cancel(client, target), { once: true })
    return await ask(client, options, Query)
  } catch (error) {
    if (error instanceof DatabaseError)
      return down('status', `${error.severity ?? 'ERROR'}: ${said(error.message)} (${error.code})`)
    const { message } = error as Error
    // The client reports this itself, without sending anything, if the server requires a password.
    if (!message.startsWith('SASL:')) throw error
    return down(
      'status',
      options.passwd === '' ? 'the server requires a password: set passwd' : said(message),
    )
  } finally {
    client.end().catch(() => {})
  }
}

/** SSLRequest: a message of eight bytes with the code 1234.5679. */
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex')

/** Opens a connection. TLS is requested in clear text; the handshake is that of all checks, so all TLS options apply. */
async function opened(target: Target, tls: TlsOptions | null, context: RunContext): Promise<Socket> {
  const socket = await open(target, null, context)
  if (!tls) return socket
  try {
    context.phase('handshake')
    const answer = await firstByte(socket)
    if (answer === 'N') throw new CheckFailure('tls', 'the server does not offer TLS: leave out tls')
    if (answer !== 'S') throw new CheckFailure('garbage', 'the server does not answer as PostgreSQL does')
    const { text: host } = target.address
    return await connectTls({ host, port: target.port, name: null, socket }, tls, context)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function firstByte(socket: Socket): Promise<string> {
  socket.write(SSL_REQUEST)
  const [chunk] = (await Promise.race([
    once(socket, 'data'),
    once(socket, 'end').then(() => {
      throw new CheckFailure('closed', 'closed instead of an answer to the request for TLS')
    }),
  ])) as [Buffer]
  // Further bytes before the handshake may come from an attacker.
  if (chunk.length > 1) throw new CheckFailure('garbage', 'more than one byte before the TLS handshake')
  return chunk.toString('latin1')
}

/** Returns a client on an open connection. The client takes missing settings from the environment, so all are set. */
function clientOn(socket: Socket, { login, passwd, database }: Wanted, Client: typeof import('pg').Client) {
  // The client wants to open its stream, but this one is already open.
  socket.connect = () => {
    setImmediate(() => socket.emit('connect'))
    return socket
  }
  const client: Client = new Client({
    stream: () => socket,
    host: 'server',
    port: 1,
    user: login,
    // A function, because for an empty text the client would search the environment and a file.
    password: () => passwd,
    database: database ?? login,
    ssl: false,
    application_name: 'lvsd',
    connectionTimeoutMillis: 0,
    types: { getTypeParser: () => (text: string) => text },
  })
  // Relevant errors are also reported as rejections.
  client.on('error', () => {})
  return client
}

/** CancelRequest: a message of 16 bytes with the code 1234.5678. */
const CANCEL_REQUEST = '0000001004d2162e'

/** Cancels the query. PostgreSQL would continue it after the connection is closed, and such queries would accumulate. */
function cancel(client: Client, target: Target): void {
  const { processID = null, secretKey = null } = client as unknown as Record<string, number | null>
  if (processID === null || secretKey === null) return
  const message = Buffer.concat([Buffer.from(CANCEL_REQUEST, 'hex'), Buffer.alloc(8)])
  message.writeInt32BE(processID, 8)
  message.writeInt32BE(secretKey, 12)
  const socket = connectTo(destinationOf(target), { timeout: 1000 })
  const end = () => socket.destroy()
  socket.on('error', end).on('timeout', end).resume().end(message)
}

function ask(client: Client, options: Wanted, Rows: typeof Query): Promise<Answer> {
  const rows = rowsFor(options)
  return new Promise((resolve, reject) => {
    const asked: QueryArrayConfig = { text: options.request, rowMode: 'array' }
    const query = client.query(new Rows<unknown[]>(asked))
    query.on('row', row => {
      if (rows.add(row[0])) resolve(rows.end())
    })
    query.on('end', results => {
      const counts = [results].flat().map(({ rowCount }) => rowCount ?? 0)
      resolve(rows.end(counts.reduce((sum, count) => sum + count, 0)))
    })
    query.on('error', reject)
  })
}
