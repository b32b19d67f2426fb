/** A director with the memory table in this process, and requests to its control socket. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.js'
import { startDirector, withPaths } from '../../../src/director/compose.js'
import type { Daemon } from '../../../src/director/daemon-types.js'
import { onCleanup } from '../after-each.js'
import { temporaryFolder } from '../folder.js'
import { recordingLog } from '../logs.js'

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

export type Send = (
  method: string,
  path: string,
  body?: string,
  headers?: Readonly<Record<string, string>>,
) => Promise<HttpAnswer>

export interface Running {
  readonly daemon: Daemon
  readonly file: string
  readonly socket: string
  readonly send: Send
}

/** Starts with a configuration as YAML. Stopped after the test. */
export async function runningDirector(text: string): Promise<Running> {
  const folder = temporaryFolder()
  const file = join(folder, 'lvsd.yaml')
  const socket = join(folder, 'lvsd.sock')
  writeFileSync(file, text)
  const load = async () => withPaths(await loadConfig(file), { socket, state: folder })
  const loaded = await load()
  const { config } = loaded
  assert.ok(config, JSON.stringify(loaded.problems))
  const { log } = recordingLog('silent')
  const daemon = await startDirector({
    loaded: { ...loaded, config },
    kept: null,
    keep: async () => {},
    load,
    table: 'memory',
    log,
    env: {},
  })
  onCleanup(() => daemon.stop())
  return { daemon, file, socket, send: sender(socket) }
}

/** JSON, unless `headers` say otherwise. */
export function sender(socketPath: string): Send {
  return (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const type = body === undefined ? {} : { 'content-type': 'application/json' }
      const options = { socketPath, method, path, agent: false as const, headers: { ...type, ...headers } }
      const sent = request(options, response => {
        let text = ''
        response.setEncoding('utf8').on('data', chunk => {
          text += chunk
        })
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        )
      })
      sent.on('error', reject).end(body)
    })
}
