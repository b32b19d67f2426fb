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
import { problemOf } from '../src/check/option-problem.js'
import { rowsFor, said, sqlExpectation, sqlOptions, sqlProblem } from './lib/sql.js'

const DRIVER = 'oracledb'

function oracleOptions(kit: OptionKit) {
  return {
    ...sqlOptions(kit, 'Name of the database service'),
    sid: kit.flag(false, 'database is the SID of an instance, as with ldirectord, not the name of a service'),
  }
}

type Wanted = Parsed<ReturnType<typeof oracleOptions>>

/**
 * Logs in to an Oracle database and executes a query. Oracle's driver needs no client libraries, but it is large, so
 * users install it themselves. It is loaded at the first run.
 */
export const check = defineCheck({
  name: 'oracle',
  summary: 'logs in to an Oracle database and asks for rows; needs the package oracledb',
  defaultPort: 1521,

  options: oracleOptions,

  expects: options => sqlExpectation(options),
  validate(options) {
    const { database } = options
    if (database === null) return sqlProblem(options)
    // The name becomes part of a connect descriptor, in which other characters have a meaning.
    return /^[\w.$#-]+$/.test(database)
      ? sqlProblem(options)
      : problemOf('database', `"${database}" is not a valid name of an Oracle database`)
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
    // The driver cannot abort a connect. A connection that arrives after the deadline is closed unused.
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

/** The parts of oracledb that are used here. */
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

/** Loads the driver. Returns null if it is not installed. The name is a variable, so that the code compiles without it. */
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

/** Returns a connect descriptor with one address, one attempt, and the time limit of the run. */
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
    // The limit of 101 rows exceeds the number of rows that is searched.
    const found = await connection.execute(options.request.replace(/;\s*$/, ''), [], { maxRows: 101 })
    found.rows?.some(([first]) => rows.add(first))
    return rows.end(found.rowsAffected)
  } finally {
    connection.close({ drop: true }).catch(() => {})
  }
}

/** Converts an error. Codes with NJS come from the driver, those with ORA from the server. */
function refusal(error: unknown): Answer {
  const { code = '', message } = error as Error & { code?: string }
  const word = said(message)
  if (/ECONNREFUSED/.test(message)) return down('refused', 'connection refused (ECONNREFUSED)')
  if (code.startsWith('ORA-')) return down('status', word)
  if (/^NJS-(500|503|501|510|511|512|521)$/.test(code)) return down('closed', word)
  return down(code.startsWith('NJS-5') ? 'status' : 'error', word)
}
