import { createRequire } from 'node:module'
import {
  type Answer,
  defineCheck,
  down,
  noVerdict,
  type RunContext,
  type Target,
  up,
} from '../src/check/check.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { rowsFor, said, sqlOptions, sqlProblem } from './lib/sql.js'

const DRIVER = 'oracledb'

function oracleOptions(kit: OptionKit) {
  return {
    ...sqlOptions(kit, 'Name of the database service'),
    sid: kit.flag(false, 'database is the SID of an instance, as with ldirectord, not the name of a service'),
  }
}

type Wanted = Parsed<ReturnType<typeof oracleOptions>>

/**
 * Logs in to an Oracle database and asks for rows. Oracle's own driver is loaded where this check is used; it needs no
 * client libraries, but it is large, so it is installed by those who want it.
 */
export const check = defineCheck({
  name: 'oracle',
  summary: 'logs in to an Oracle database and asks for rows; needs the package oracledb',
  defaultPort: 1521,

  options: oracleOptions,

  validate(options) {
    const { database } = options
    if (database === null) return sqlProblem(options)
    // It stands in a connect descriptor, where these would end it.
    return /^[\w.$#-]+$/.test(database)
      ? sqlProblem(options)
      : `"${database}" is no name of an Oracle database`
  },

  missing: () => (isInstalled() ? null : MISSING),

  async run(target, options, context) {
    const driver = await load()
    if (!driver) return noVerdict(MISSING)
    context.phase('connect')
    const opening = driver.getConnection({
      user: options.login,
      password: options.passwd,
      connectString: descriptor(target, options, context.timeout),
    })
    // The driver cannot be told to give up. One that comes too late is closed unused.
    context.signal.addEventListener('abort', () => {
      opening.then(
        connection => connection.close({ drop: true }).catch(() => {}),
        () => {},
      )
    })
    try {
      return await ask(await opening, options, context)
    } catch (error) {
      return refusal(error)
    }
  },
})

const MISSING =
  'the package oracledb is not installed beside lvsd: run `npm install --no-save --save-prod oracledb` in its folder'

function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve(DRIVER)
    return true
  } catch {
    return false
  }
}

/** The few words of oracledb that are used here. */
interface Driver {
  getConnection(attributes: {
    user: string
    password: string
    connectString: string
  }): Promise<OracleConnection>
}
interface OracleConnection {
  callTimeout: number
  execute(
    sql: string,
    binds: readonly never[],
    options: { maxRows: number },
  ): Promise<{ rows?: unknown[][]; rowsAffected?: number }>
  close(options: { drop: boolean }): Promise<void>
}

/** Null where it is not installed. The name is a variable, so that nobody needs it to compile. */
async function load(name: string = DRIVER): Promise<Driver | null> {
  try {
    const module = (await import(name)) as { default: Driver }
    return module.default
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND') return null
    throw error
  }
}

/** One address, tried once, and no longer than the check may last. */
export function descriptor({ address, port }: Target, { database, sid }: Wanted, timeout: number): string {
  const seconds = Math.max(1, Math.ceil(timeout / 1000))
  const name = database === null ? '' : `(${sid ? 'SID' : 'SERVICE_NAME'}=${database})`
  const limits = `(CONNECT_TIMEOUT=${seconds})(TRANSPORT_CONNECT_TIMEOUT=${seconds})(RETRY_COUNT=0)`
  const where = `(ADDRESS=(PROTOCOL=TCP)(HOST=${address.text})(PORT=${port}))`
  return `(DESCRIPTION=${limits}${where}(CONNECT_DATA=${name}))`
}

async function ask(
  connection: OracleConnection,
  options: Wanted,
  { phase, timeout }: RunContext,
): Promise<Answer> {
  try {
    if (options.request.trim() === '') return up(`logged in as ${options.login}`)
    phase('body')
    connection.callTimeout = timeout
    const rows = rowsFor(options)
    // A driver that has asked for 101 rows has seen more than decides.
    const found = await connection.execute(options.request.replace(/;\s*$/, ''), [], { maxRows: 101 })
    found.rows?.some(([first]) => rows.add(first))
    return rows.end(found.rowsAffected)
  } finally {
    connection.close({ drop: true }).catch(() => {})
  }
}

/** NJS: what the driver says. ORA: what the server says. */
function refusal(error: unknown): Answer {
  const { code = '', message } = error as Error & { code?: string }
  const word = said(message)
  if (/ECONNREFUSED/.test(message)) return down('refused', 'connection refused (ECONNREFUSED)')
  if (code.startsWith('ORA-')) return down('status', word)
  if (/^NJS-(500|503|501|510|511|512|521)$/.test(code)) return down('closed', word)
  return down(code.startsWith('NJS-5') ? 'status' : 'error', word)
}
