import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { nested, text, u32 } from '../../../src/netlink/attribute.js'
import { openConnection, type Socket } from '../../../src/netlink/connection.js'
import { NetlinkError } from '../../../src/netlink/error.js'
import { coder, control, type Family } from '../../../src/netlink/family.js'
import {
  decodeMessages,
  encodeEnd,
  encodeMessages,
  flag,
  genericPart,
  type Message,
  type,
} from '../../../src/netlink/message.js'
import { openSocket } from '../../../src/netlink/socket.js'
import { SystemError } from '../../../src/system/libc.js'
import { onCleanup } from '../../support/after-each.js'

const attributes = { THING: [1, nested({ NAME: [1, text], SIZE: [2, u32] })] } as const
const family: Family<typeof attributes> = {
  name: 'THINGS',
  version: 1,
  commands: { NEW: 1, GET: 2 },
  attributes,
}
const things = coder(family)
const thing = (NAME: string) => ({ THING: { NAME } })

/** A kernel that says to each message what the test tells it to. */
function kernel(answer: (message: Message, command: string) => (Buffer | SystemError)[]) {
  const waiting: (Buffer | SystemError)[] = []
  const sent: Message[] = []
  let familyNumber = 28
  const socket: Socket = {
    send(datagram) {
      for (const message of decodeMessages(Buffer.from(datagram))) {
        if (message.type === type.GENERIC_CONTROL) waiting.push(...control_(message))
        else {
          sent.push(message)
          const isKnown = message.type === familyNumber
          const command = things.commandName(genericPart(message).command)
          waiting.push(...(isKnown ? answer(message, command) : [refusal(message, 'ENOENT')]))
        }
      }
    },
    receive(into) {
      const next = waiting.shift()
      if (next instanceof SystemError) throw next
      if (next) into.set(next)
      return next?.length ?? null
    },
    close: () => undefined,
  }
  const control_ = (message: Message) =>
    familyNumber === 0
      ? [refusal(message, 'ENOENT')]
      : [reply(control, message, 'NEWFAMILY', [{ FAMILY_ID: familyNumber, FAMILY_NAME: 'THINGS' }])]
  return {
    socket,
    sent,
    waiting,
    renumber(number: number) {
      familyNumber = number
    },
  }
}

function reply(
  of: Family<typeof attributes> | typeof control,
  { sequence }: Message,
  command: string,
  items: readonly object[],
  flags = 0,
): Buffer {
  const { commandNumber, encode } = coder(of as Family<typeof attributes>)
  return encodeMessages(
    items.map(values => ({
      header: { type: 28, flags, sequence, command: commandNumber(command), version: 1 },
      body: encode(values),
    })),
  )
}

const refusal = ({ sequence }: Message, code: keyof typeof constants.errno) =>
  encodeEnd('ERROR', sequence, constants.errno[code])
const done = ({ sequence }: Message, errno = 0) => encodeEnd('DONE', sequence, errno)
const acknowledged = (message: Message) =>
  message.flags & flag.ACK ? [encodeEnd('ERROR', message.sequence, 0)] : []
const requests = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ command: 'NEW', values: thing(`${i}`) }))
const failure = (code: string) => (error: unknown) => error instanceof NetlinkError && error.code === code

describe('connection: a netlink connection', () => {
  it('reports that the kernel does not have the family', () => {
    const { socket, renumber } = kernel(() => [])
    renumber(0)
    assert.throws(() => openConnection(socket, family), failure('ENOENT'))
  })

  it('finds the number of a family of this machine', () => {
    const socket = openSocket()
    onCleanup(() => socket.close())
    assert.equal(openConnection(socket, control).lookUp(), false)
  })

  it('reports a family that this machine does not have', () => {
    const socket = openSocket()
    onCleanup(() => socket.close())
    assert.throws(() => openConnection(socket, family), failure('ENOENT'))
  })

  describe('sending a batch', () => {
    it('asks for one acknowledgement, of the last', () => {
      const { socket, sent } = kernel(acknowledged)
      assert.deepEqual(openConnection(socket, family).batch(requests(3)), [null, null, null])
      assert.deepEqual(
        sent.map(({ flags }) => flags),
        [flag.REQUEST, flag.REQUEST, flag.REQUEST | flag.ACK],
      )
    })

    it('sends nothing where there is nothing to send', () => {
      const { socket, sent } = kernel(acknowledged)
      assert.deepEqual(openConnection(socket, family).batch([]), [])
      assert.equal(sent.length, 0)
    })

    it('assigns errors to messages by their numbers', () => {
      const { socket, sent } = kernel(message =>
        sent.length % 2 === 0 ? [refusal(message, 'EEXIST')] : acknowledged(message),
      )
      const connection = openConnection(socket, family)
      assert.deepEqual(connection.batch(requests(4)), [null, 'EEXIST', null, 'EEXIST'])
      assert.deepEqual(connection.batch(requests(1)), [null])
    })

    it('ignores answers to earlier requests', () => {
      const { socket, waiting } = kernel(acknowledged)
      const connection = openConnection(socket, family)
      waiting.push(encodeEnd('ERROR', 1, constants.errno.EPERM))
      assert.deepEqual(connection.batch(requests(2)), [null, null])
    })

    it('reports lost answers', () => {
      const { socket, waiting } = kernel(message => [
        new SystemError('ENOBUFS', 'recv'),
        ...acknowledged(message),
      ])
      const connection = openConnection(socket, family)
      assert.throws(() => connection.batch(requests(2)), failure('ENOBUFS'))
      assert.equal(waiting.length, 0, 'nothing is left to be taken for a later answer')
    })

    it('reports a missing acknowledgement', () => {
      const { socket } = kernel(() => [])
      const connection = openConnection(socket, family)
      assert.throws(() => connection.batch(requests(2)), failure('ENOBUFS'))
    })

    it('passes on other errors of the socket', () => {
      const { socket } = kernel(() => [new SystemError('ENOMEM', 'recv')])
      const connection = openConnection(socket, family)
      assert.throws(() => connection.batch(requests(1)), { code: 'ENOMEM' })
    })

    it('finds a family that got another number', () => {
      const { socket, renumber } = kernel(acknowledged)
      const connection = openConnection(socket, family)
      assert.equal(connection.lookUp(), false)
      renumber(31)
      assert.deepEqual(connection.batch(requests(1)), ['ENOENT'])
      assert.equal(connection.lookUp(), true)
      assert.deepEqual(connection.batch(requests(1)), [null])
    })
  })

  describe('dumping', () => {
    const get = { command: 'GET', values: {} }

    it('collects datagrams until the end of the dump', () => {
      const { socket } = kernel(message => [
        reply(family, message, 'NEW', [thing('a'), thing('b')], flag.MULTI),
        reply(family, message, 'NEW', [thing('c')], flag.MULTI),
        done(message),
      ])
      const names = openConnection(socket, family)
        .dump(get)
        .map(({ THING }) => THING?.NAME)
      assert.deepEqual(names, ['a', 'b', 'c'])
    })

    it('may be empty', () => {
      const { socket } = kernel(message => [done(message)])
      assert.deepEqual(openConnection(socket, family).dump(get), [])
    })

    it('throws the error with which it ends', () => {
      const { socket } = kernel(message => [refusal(message, 'EPERM')])
      assert.throws(() => openConnection(socket, family).dump(get), failure('EPERM'))
      const late = kernel(message => [done(message, constants.errno.ENOMEM)])
      assert.throws(() => openConnection(late.socket, family).dump(get), failure('ENOMEM'))
    })

    it('fails without its end', () => {
      const { socket } = kernel(message => [reply(family, message, 'NEW', [thing('a')], flag.MULTI)])
      assert.throws(() => openConnection(socket, family).dump(get), failure('ENOBUFS'))
    })

    it('is repeated if the table changed meanwhile', () => {
      const { socket, sent } = kernel(message => {
        const flags = flag.MULTI | (sent.length < 3 ? flag.DUMP_INTERRUPTED : 0)
        return [reply(family, message, 'NEW', [thing(`${sent.length}`)], flags), done(message)]
      })
      assert.deepEqual(openConnection(socket, family).dump(get), [thing('3')])
    })

    it('returns the last dump if the table never stops changing', () => {
      const { socket, sent } = kernel(message => [
        reply(family, message, 'NEW', [thing('a')], flag.MULTI | flag.DUMP_INTERRUPTED),
        done(message),
      ])
      assert.deepEqual(openConnection(socket, family).dump(get), [thing('a')])
      assert.equal(sent.length, 4)
    })
  })

  it('gets one answer, or the error', () => {
    const { socket } = kernel((message, command) =>
      command === 'GET' ? [reply(family, message, 'NEW', [thing('a')])] : [refusal(message, 'EINVAL')],
    )
    const connection = openConnection(socket, family)
    assert.deepEqual(connection.get({ command: 'GET', values: {} }), thing('a'))
    assert.throws(() => connection.get({ command: 'NEW', values: {} }), failure('EINVAL'))
  })

  it('traces every message in both directions', () => {
    const { socket, sent } = kernel((message, command) => {
      if (command === 'GET') return [reply(family, message, 'NEW', [thing('a')]), done(message)]
      return sent.length === 1 ? [refusal(message, 'EEXIST')] : acknowledged(message)
    })
    const lines: string[] = []
    const connection = openConnection(socket, family, line => lines.push(line))
    connection.batch(requests(2))
    connection.dump({ command: 'GET', values: {} })
    assert.deepEqual(lines, [
      '> GETFAMILY #1 { FAMILY_NAME "THINGS" }',
      '< NEWFAMILY #1 { FAMILY_ID 28, FAMILY_NAME "THINGS" }',
      '> NEW #2 { THING { NAME "0" } }',
      '> NEW #3 { THING { NAME "1" } }',
      '< #2 EEXIST',
      '< #3 ok',
      '> GET #4 {}',
      '< NEW #4 { THING { NAME "a" } }',
      '< #4 done',
    ])
  })
})
