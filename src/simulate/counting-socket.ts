/** Counts the messages that are sent to the kernel. */
import type { Socket } from '../netlink/connection.js'

/** `struct nlmsghdr` of linux/netlink.h: its length comes first; messages are aligned to 4 bytes. */
const ALIGN = 4

export interface MessageCount {
  messages: number
}

/** Returns a socket that adds the messages of each datagram to `count`. */
export function counting(socket: Socket, count: MessageCount): Socket {
  return {
    send(datagram) {
      const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
      for (let at = 0; at + ALIGN <= view.byteLength; ) {
        const length = view.getUint32(at, true)
        if (length === 0) break
        count.messages++
        at += Math.ceil(length / ALIGN) * ALIGN
      }
      socket.send(datagram)
    },
    receive: into => socket.receive(into),
    close: () => socket.close(),
  }
}
