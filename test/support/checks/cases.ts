/** Tests of a check by tables of cases: one real server, many options. */
import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import type { OptionShape } from '../../../src/check/option-kit.js'
import { probe, type Where } from '../probe.js'
import { tlsFile } from '../tls-file.js'

type Options = Readonly<Record<string, unknown>>

/** Behaviour of the server, options of the check, expected reason (null: up) and expected detail. */
export type Case = readonly [phrase: string, options: Options, reason: string | null, said: RegExp]

/** Time limit for a real server on a busy machine. */
export const SLOW = { timeout: 15_000 }

/** Runs the check at `where`. Fails unless the result is that of the case. */
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
  // The check must not wait for the end of a connection that the server keeps open.
  assert.ok(result.ms < 10_000, `${told}, after ${result.ms} ms`)
}

/** Defines one test for each case. The port is known only when the server has started. */
export function isJudgedWhere<S extends OptionShape>(
  check: Check<S>,
  port: () => number,
  cases: readonly Case[],
): void {
  for (const one of cases) it(`is judged where it ${one[0]}`, () => isJudged(check, port(), one[1], one))
}

/** Cases for a server with the certificate `server.crt`. `options` are correct otherwise. */
export function certificateCases(options: Options): readonly Case[] {
  const verified = { ...options, tls: true, verify: true }
  const ca = tlsFile('ca.crt')
  return [
    ['shows its certificate', { ...verified, ca }, null, /logged in/],
    ['shows one of others', verified, 'tls', /authority|issuer/],
    ['has another name', { ...verified, ca, verifyname: 'a.example' }, 'tls', /a different name/],
  ]
}
