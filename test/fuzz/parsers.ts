/** The readers of kinds that need no connection: many more spoilt answers in the same time. */

import { servingOf } from '../../checks/grpc.js'
import { readWords } from '../../checks/lib/agent.js'
import { NotDns, readAnswers, readHead, readQuestion } from '../../checks/lib/dns-message.js'
import { CheckFailure } from '../../checks/lib/failure.js'
import { NotLdap, takeMessage } from '../../checks/lib/ldap-messages.js'
import { pgsqlMessages } from '../../checks/lib/pgsql-messages.js'
import { decodeReply } from '../../checks/lib/radius.js'
import { compileJudge } from '../../src/probe/matcher.js'
import { FUZZED, type Said } from './kinds.js'
import { mutated } from './mutate.js'
import { Chance } from './random.js'

type Read = (bytes: Buffer) => unknown

/** A query as `dns` sends it, and a packet as `radius` does, for what answers them. */
const ASKED: Readonly<Record<string, Buffer>> = {
  dns: Buffer.from('00010100000100000000000003777777076578616d706c6503636f6d0000010001', 'hex'),
  radius: Buffer.concat([
    Buffer.from('0c070026', 'hex'),
    Buffer.alloc(16, 5),
    Buffer.from('5012', 'hex'),
    Buffer.alloc(16),
  ]),
}
const REQUEST = {
  code: 12,
  id: 7,
  authenticator: Buffer.alloc(16, 5),
  secret: 'secret',
  login: null,
  passwd: '',
}

const PARSERS: Readonly<Record<string, Read>> = {
  agent: bytes => readWords(bytes.toString('utf8', 0, 16_384), { percent: 100 }),
  dns: bytes => [readHead(bytes), readQuestion(bytes), readAnswers(bytes)],
  grpc: servingOf,
  http: bytes =>
    compileJudge({
      kind: 'http',
      method: 'GET',
      status: [[200, 299]],
      match: { kind: 'text', text: 'well' },
      limit: 65_536,
    })().push(bytes),
  ldap(bytes) {
    for (let next = takeMessage(bytes, 65_536); next; next = takeMessage(next.rest, 65_536));
  },
  pgsql: bytes => pgsqlMessages()(bytes),
  radius: bytes => decodeReply(bytes, REQUEST),
}
/** What a reader may throw: a word about the server. */
const WORDS = [NotDns, NotLdap, CheckFailure]

/** A sentence for each answer that was not read within `limit` milliseconds, or that was answered by something else. */
export function readSpoilt(kind: string, seeds: Iterable<number>, limit: number): string[] {
  const read = PARSERS[kind]
  const said = FUZZED.filter(fuzzed => fuzzed.kind === kind && fuzzed.name !== 'dns over TCP').flatMap(
    ({ talk }) => talk.answers,
  )
  const answers = said.map(answer => bytesOf(answer, kind))
  const faults: string[] = []
  for (const seed of seeds) {
    const chance = new Chance(seed)
    const bytes = mutated(chance.pick(answers), chance, answers)
    const start = performance.now()
    try {
      read?.(bytes)
    } catch (error) {
      if (!WORDS.some(word => error instanceof word))
        faults.push(`${kind}, seed ${seed}: ${(error as Error).stack}`)
    }
    const ms = performance.now() - start
    if (ms > limit) faults.push(`${kind}, seed ${seed}: ${Math.round(ms)} ms for ${bytes.length} bytes`)
  }
  return faults
}

export const READERS = Object.keys(PARSERS)

function bytesOf(answer: Said, kind: string): Buffer {
  return Buffer.isBuffer(answer) ? answer : answer(ASKED[kind] ?? Buffer.alloc(0))
}
