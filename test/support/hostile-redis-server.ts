/**
 * A process that speaks enough of the protocol of Redis for a client of a site, and answers GET and the overrides as it
 * is told: with what no server should send.
 */
import { createServer, type Socket } from 'node:net'

/** `good`: as Redis does. */
export type Hostility =
  | 'good'
  | keyof typeof STREAMS
  | keyof typeof ANSWERS
  | 'many-overrides'
  | 'endless-overrides'
  | 'flood'

/** Begins of answers, and what follows them for ever. */
const STREAMS = {
  'endless-text': ['$536870912\r\n', Buffer.alloc(65_536, 'x')],
  'endless-array': ['*1000000000\r\n', Buffer.from(':1\r\n'.repeat(16_384))],
  'endless-texts': ['*40000\r\n', Buffer.from(`$65528\r\n${'x'.repeat(65_528)}\r\n`)],
  'endless-error': ['-ERR ', Buffer.alloc(65_536, 'x')],
  'endless-garbage': ['HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(65_536, '\0')],
} as const

const ANSWERS = {
  'deep-array': '*1\r\n'.repeat(10_000),
  'half-answer': '$10\r\nabc',
  'long-error': `-ERR ${'x'.repeat(10 << 20)}\r\n`,
} as const

let hostility: Hostility = 'good'
const subscribers = new Set<Socket>()
let flooded = ''

const text = (word: string) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`
const list = (words: readonly string[]) => `*${words.length}\r\n${words.map(text).join('')}`

function pour(socket: Socket, chunk: Buffer): void {
  const more = () => {
    while (socket.writable && socket.write(chunk));
    if (socket.writable) socket.once('drain', more)
  }
  more()
}

function get(socket: Socket): void {
  if (hostility in STREAMS) {
    const [begin, chunk] = STREAMS[hostility as keyof typeof STREAMS]
    socket.write(begin)
    pour(socket, chunk)
  } else socket.write(hostility in ANSWERS ? ANSWERS[hostility as keyof typeof ANSWERS] : '$-1\r\n')
}

function page(): string {
  if (hostility !== 'endless-overrides') return `*2\r\n${text('0')}*0\r\n`
  const fields = Array.from({ length: 500 }, () => [Math.random().toString(36), '{"change":"x"}']).flat()
  return `*2\r\n${text('7')}${list(fields)}`
}

function answer(socket: Socket, [command = '', ...args]: readonly string[]): void {
  if (command === 'GET') get(socket)
  else if (command === 'HLEN') socket.write(hostility === 'many-overrides' ? ':200000\r\n' : ':5\r\n')
  else if (command === 'HSCAN') socket.write(page())
  else if (command === 'HGET') socket.write(text('revision'))
  else if (command === 'HELLO') socket.write(list(['version', '7.0.0']))
  else if (command === 'SUBSCRIBE') {
    subscribers.add(socket)
    for (const channel of args) {
      if (channel.endsWith(':flood')) flooded = channel
      socket.write(`*3\r\n${text('subscribe')}${text(channel)}:1\r\n`)
    }
  } else if (command === 'PUBLISH') {
    for (const each of subscribers) each.write(list(['message', ...args]))
    socket.write(':1\r\n')
  } else socket.write('+OK\r\n')
}

/** 100,000 messages a second, as far as the client reads them. */
setInterval(() => {
  if (hostility !== 'flood') return
  const messages = Buffer.from(list(['message', flooded, 'news']).repeat(1000))
  for (const each of subscribers) if (each.writableLength < 1 << 20) each.write(messages)
}, 10)

const server = createServer(socket => {
  let rest = ''
  socket.on('error', () => {})
  socket.on('close', () => subscribers.delete(socket))
  socket.on('data', bytes => {
    rest += bytes.toString('latin1')
    for (;;) {
      const words = /^\*(\d+)\r\n/.exec(rest)
      if (!words) return
      let at = words[0].length
      const found: string[] = []
      for (let i = 0; i < Number(words[1]); i++) {
        const length = /^\$(\d+)\r\n/.exec(rest.slice(at, at + 20))
        if (!length || rest.length < at + length[0].length + Number(length[1]) + 2) return
        at += length[0].length
        found.push(rest.slice(at, at + Number(length[1])))
        at += Number(length[1]) + 2
      }
      rest = rest.slice(at)
      answer(socket, [found[0]?.toUpperCase() ?? '', ...found.slice(1)])
    }
  })
}).listen(0, '::1', () => process.send?.((server.address() as { port: number }).port))

process.on('message', (told: Hostility) => {
  hostility = told
  process.send?.('done')
})
process.on('disconnect', () => process.exit())
