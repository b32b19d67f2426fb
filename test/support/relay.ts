/** A relay between clients and a server, as a network that can be cut. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onCleanup } from './after-each.js'

export interface Relay {
  readonly port: number
  /** Ends all connections, and accepts no more. */
  cut(): void
  join(): void
}

/** Relays to a port of ::1. */
export async function relayTo(port: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer(client => {
    if (isCut) return void client.destroy()
    const upstream = connect({ host: '::1', port })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream).pipe(client)
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  onCleanup(async () => {
    cut()
    server.close()
    await once(server, 'close')
  })
  const join = () => {
    isCut = false
  }
  return { port: (server.address() as AddressInfo).port, cut, join }
}
