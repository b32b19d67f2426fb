import assert from 'node:assert/strict'
import { encode } from 'dns-packet'
import { check as dialogue } from '../../../checks/dialogue.js'
import { check as dns } from '../../../checks/dns.js'
import { check as http } from '../../../checks/http.js'
import { check as redis } from '../../../checks/redis.js'
import { check as simpletcp } from '../../../checks/simpletcp.js'
import { runCheck } from '../../../src/check/run-code.js'
import type { CheckResult } from '../../../src/core/model.js'
import { probe, targetOf } from '../../support/probe.js'
import { tcpServer, udpServer } from '../../support/servers.js'

/** Clears a screen, sets a title, turns the direction, begins a line of its own, and does not end. */
const HOSTILE = `\x1b[2J\x1b]0;title\x07\u009b31m\u202egnp\u2066\u2028\x00${'x'.repeat(50_000)}`

function saying(text: string, encoding: BufferEncoding = 'utf8') {
  return tcpServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(text, encoding))
  })
}

describe('hostile-text: what a server says', () => {
  const asked: readonly [what: string, ask: () => Promise<CheckResult>][] = [
    [
      "HTTP's reason phrase",
      async () => probe(http, await saying(`HTTP/1.1 503 ${HOSTILE}\r\n\r\n`, 'latin1'), {}),
    ],
    [
      'the answer of a redirect that is followed no further',
      async () => probe(http, await saying(`HTTP/1.1 503 ${HOSTILE}\r\n\r\n`, 'latin1'), { redirects: 1 }),
    ],
    ['any first bytes', async () => probe(simpletcp, await saying(HOSTILE), { request: 'x' })],
    ["redis's error", async () => probe(redis, await saying(`-ERR ${HOSTILE.slice(0, 4000)}\r\n`), {})],
    [
      'a line',
      async () => {
        const server = await saying(`${HOSTILE}\r\n`)
        return probe(dialogue, server, { steps: ['send x', 'line ^220'] })
      },
    ],
    [
      "dns's text",
      async () => {
        const server = await udpServer((query, answer) => {
          const id = query.readUInt16BE(0)
          const question = { type: 'TXT', name: 'a' } as const
          const data = HOSTILE.slice(0, 200)
          const answers = [{ type: 'TXT', name: 'a', ttl: 1, data } as const]
          answer(encode({ type: 'response', id, questions: [question], answers }))
        })
        return probe(dns, server, { request: 'a', type: 'TXT' })
      },
    ],
    [
      "a check's own code",
      () => {
        const run = async () => ({ ok: false, reason: 'error', detail: HOSTILE }) as const
        const check = { name: 'own', summary: '', options: () => ({}), run }
        return runCheck({ check, target: targetOf(1), options: {} }, 1000)
      },
    ],
  ]
  for (const [what, ask] of asked)
    it(`is short and moves no terminal: ${what}`, async () => {
      const { detail } = await ask()
      assert(detail.length <= 512, `${detail.length} characters`)
      assert.doesNotMatch(detail, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
    })
})
