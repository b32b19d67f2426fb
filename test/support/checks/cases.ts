/** Tables of cases: a real server, asked with many options. */
import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import type { OptionShape } from '../../../src/check/option-kit.js'
import { probe, type Where } from '../probe.js'
import { tlsFile } from '../tls-file.js'

type Options = Readonly<Record<string, unknown>>

/** What the server does, the options of the check, its reason (null: it is up), and its detail. */
export type Case = readonly [phrase: string, options: Options, reason: string | null, said: RegExp]

/** For a real server on a busy machine. */
export const SLOW = { timeout: 15_000 }

/** Fails unless the check finds at `where` what the case says. */
export async function isJudged<S extends OptionShape>(
  check: Check<S>,
  where: Where,
  options: Options,
  [, , reason, said]: Case,
): Promise<void> {
  const result = await probe(check, where, options, SLOW)
  const told = `${check.name} at ${JSON.stringify(where)}: ${result.detail}`
  assert.equal(result.reason, reason, told)
  assert.match(result.detail, said, told)
  // Nobody waits for the end of a connection that is kept open.
  assert.ok(result.ms < 10_000, `${told}, after ${result.ms} ms`)
}

/** One test for each case. The port is known when the server has started. */
export function isJudgedWhere<S extends OptionShape>(
  check: Check<S>,
  port: () => number,
  cases: readonly Case[],
): void {
  for (const one of cases) it(`is judged where it ${one[0]}`, () => isJudged(check, port(), one[1], one))
}

/** A server that shows `server.crt`, asked in TLS with options that are right. */
export function certificateCases(options: Options): readonly Case[] {
  const verified = { ...options, tls: true, verify: true }
  const ca = tlsFile('ca.crt')
  return [
    ['shows its certificate', { ...verified, ca }, null, /logged in/],
    ['shows one of others', verified, 'tls', /authority|issuer/],
    ['has another name', { ...verified, ca, verifyname: 'a.example' }, 'tls', /a different name/],
  ]
}
