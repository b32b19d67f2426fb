/** A kernel that costs next to nothing: answers to dumps are repeated, as long as nothing changes the table. */
import type { Socket } from '../../src/netlink/connection.js'
import { flag } from '../../src/netlink/message.js'

/** Offsets in the header of a netlink message. */
const FLAGS = 6
const SEQUENCE = 8

/** Returns a socket that sends to `socket` only what it cannot answer with the datagrams of an earlier answer. */
export function replaying(socket: Socket): Socket {
  const known = new Map<string, readonly Buffer[]>()
  let waiting: Buffer[] = []

  return {
    send(datagram) {
      const request = Buffer.from(datagram)
      const isDump = (request.readUInt16LE(FLAGS) & flag.DUMP) !== 0
      if (!isDump) known.clear()
      const key = request.toString('latin1', 0, SEQUENCE) + request.toString('latin1', SEQUENCE + 4)
      const answers = known.get(key)
      for (const answer of answers ?? []) renumber(answer, request.readUInt32LE(SEQUENCE))
      waiting = [...(answers ?? ask(request))]
      if (isDump) known.set(key, [...waiting])
    },

    receive(into) {
      const answer = waiting.shift()
      if (!answer) return null
      into.set(answer)
      return answer.length
    },

    close: () => socket.close(),
  }

  function ask(request: Buffer): readonly Buffer[] {
    const answers: Buffer[] = []
    const buffer = Buffer.alloc(65536)
    socket.send(request)
    for (let length = socket.receive(buffer); length !== null; length = socket.receive(buffer))
      answers.push(Buffer.from(buffer.subarray(0, length)))
    return answers
  }
}

function renumber(datagram: Buffer, sequence: number): void {
  for (let offset = 0; offset < datagram.length; offset += (datagram.readUInt32LE(offset) + 3) & ~3)
    datagram.writeUInt32LE(sequence, offset + SEQUENCE)
}
