/** Tests for all SQL checks. */
import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import type { OptionShape } from '../../../src/check/option-kit.js'
import { probe } from '../probe.js'
import { type Case, certificateCases, isJudgedWhere, SLOW } from './cases.js'
import { diesAnywhere } from './relay.js'

interface SqlServer {
  /** Options of a successful login. */
  readonly there: Readonly<Record<string, unknown>>
  readonly cases: readonly Case[]
  /** A query that takes more than a minute. */
  readonly slow: string
  /** A query that returns one row while no other client runs the slow query, else none. */
  readonly noneSlow: string
}

export function isAskedInSql<S extends OptionShape>(
  check: Check<S>,
  port: () => number,
  { there, cases, slow, noneSlow }: SqlServer,
): void {
  const asking = (request: string) => ({ ...there, request })

  isJudgedWhere(check, port, [...cases, ...certificateCases(there)])

  it('is down when it thinks too long, and thinks no further', async () => {
    assert.equal((await probe(check, port(), asking(slow), { timeout: 400 })).reason, 'timeout')
    for (let i = 0; i < 100; i++) if ((await probe(check, port(), asking(noneSlow), SLOW)).ok) return
    assert.fail('it goes on')
  })

  it('is down if the connection ends at any point', () => diesAnywhere(check, port(), asking('SELECT 42')))

  it('is down if the connection ends at any point of TLS', () =>
    diesAnywhere(check, port(), { ...asking('SELECT 42'), tls: true }, { spare: 40 }))
}
