/** Web servers with TLS: one nginx with one worker, and a port for each server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { tlsFile } from '../support/tls-file.js'

export interface TlsFarm {
  readonly ports: readonly number[]
  readonly pid: number
  /** Requests answered so far. */
  count(): Promise<number>
  close(): Promise<void>
}

/** On ::1 and free ports. */
export async function openTlsFarm(count: number, folder: string): Promise<TlsFarm> {
  const [control = 0, ...ports] = await freePorts(count + 1)
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configOf(ports, control, folder))
  const child = spawn('nginx', ['-p', folder, '-c', file, '-e', 'stderr'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  })
  const gone = once(child, 'exit')
  await answering(control, gone)
  return {
    ports,
    pid: child.pid ?? 0,
    count: () => requestsOf(control),
    close: async () => {
      child.kill('SIGTERM')
      await gone
    },
  }
}

function configOf(ports: readonly number[], control: number, folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
    daemon off; master_process off; pid ${join(folder, 'nginx.pid')}; worker_rlimit_nofile 16384;
    events { worker_connections 8192; }
    http {
      access_log off;
      ${temporary.map(name => `${name}_temp_path ${join(folder, name)};`).join('\n')}
      ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate ${tlsFile('server.crt')}; ssl_certificate_key ${tlsFile('key.pem')};
      server { listen [::1]:${control}; location / { stub_status; } }
      server {
        ${ports.map(port => `listen [::1]:${port} ssl;`).join('\n')}
        location / { return 200 "OK\\n"; }
      }
    }`
}

async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  for (let i = 0; i < count; i++) {
    const server = createServer().listen(0, '::1')
    await once(server, 'listening')
    servers.push(server)
  }
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(done => server.close(done))))
  return ports
}

/** Waits until nginx answers; throws if it ends. */
async function answering(port: number, gone: Promise<unknown>): Promise<void> {
  const ended = gone.then(() => {
    throw new Error('nginx has ended')
  })
  ended.catch(() => {})
  for (let i = 0; ; i++)
    try {
      await Promise.race([requestsOf(port), ended])
      return
    } catch (error) {
      if (i === 100 || (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
      await new Promise(done => setTimeout(done, 50))
    }
}

/** Returns the third number of the line `accepts handled requests`. One in some hundreds is for this page. */
async function requestsOf(port: number): Promise<number> {
  const page = await new Promise<string>((resolve, reject) => {
    const sent = request({ host: '::1', port, agent: false }, response =>
      text(response).then(resolve, reject),
    )
    sent.once('error', reject)
    sent.end()
  })
  const [, requests = '0'] = /^\s*\d+ \d+ (\d+)/m.exec(page) ?? []
  return Number(requests)
}
