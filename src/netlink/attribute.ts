/**
 * Netlink attributes: a 16-bit length, a 16-bit type, a value, and padding to four bytes. An attribute can contain
 * nested attributes. A `Layout` defines name, number and kind of the attributes of one level; encoding, decoding and
 * printing are derived from it.
 *
 * Numbers are in host byte order unless the kind is big-endian. libc.ts ensures that the host is little-endian.
 */
import { malformed } from './error.js'
import { get16, get32, getBe16, put16, put32, putBe16 } from './integers.js'

/** Encodes, decodes and prints one kind of value. */
export interface Kind<T> {
  /** True if the value consists of nested attributes. */
  readonly nested?: boolean
  size(value: T): number
  /** Returns the size where it is known only then: that of nested attributes. */
  write(value: T, into: Buffer, offset: number): unknown
  /** Decodes the value between `offset` and `end`. Throws a NetlinkError if the size is wrong. */
  read(from: Buffer, offset: number, end: number): T
  show(value: T): string
}

/** The attributes of one level: name to number and kind. */
export type Layout = Readonly<Record<string, readonly [number, Kind<unknown>]>>

/** The attribute values of a layout. Any of them may be absent. The decoder skips unknown attributes. */
export type Values<L extends Layout> = {
  readonly [Name in keyof L]?: (L[Name][1] extends Kind<infer T> ? T : never) | undefined
}

const headerSize = 4
const nestedFlag = 0x8000
const typeMask = 0x3fff

const aligned = (size: number) => (size + 3) & ~3

function scalar(
  name: string,
  size: number,
  write: (into: Buffer, value: number, offset: number) => void,
  read: (from: Buffer, offset: number) => number,
): Kind<number> {
  return {
    size: () => size,
    write: (value, into, offset) => write(into, value, offset),
    read(from, offset, end) {
      if (end - offset !== size) throw malformed(`${name} of ${end - offset} bytes`)
      return read(from, offset)
    },
    show: String,
  }
}

export const u8 = scalar(
  'u8',
  1,
  (into, value, offset) => into.writeUInt8(value, offset),
  (from, offset) => from.readUInt8(offset),
)
export const u16 = scalar('u16', 2, put16, get16)
/** Big-endian, for ports. */
export const be16 = scalar('be16', 2, putBe16, getBe16)
export const u32 = scalar('u32', 4, put32, get32)
/** Exact up to 2^53 (9 petabytes). */
export const u64 = scalar(
  'u64',
  8,
  (into, value, offset) => into.writeBigUInt64LE(BigInt(value), offset),
  (from, offset) => get32(from, offset) + get32(from, offset + 4) * 2 ** 32,
)

/** Raw bytes. */
export const bytes: Kind<Uint8Array> = {
  size: value => value.length,
  write: (value, into, offset) => into.set(value, offset),
  read: (from, offset, end) => new Uint8Array(from.subarray(offset, end)),
  show: value => Buffer.from(value).toString('hex'),
}

/** A NUL-terminated string. */
export const text: Kind<string> = {
  size: value => Buffer.byteLength(value) + 1,
  write(value, into, offset) {
    into[offset + into.write(value, offset)] = 0
  },
  read(from, offset, end) {
    const nul = from.indexOf(0, offset)
    if (nul < offset || nul >= end) throw malformed('text without its final NUL')
    return from.toString('utf8', offset, nul)
  },
  show: value => JSON.stringify(value),
}

/** An attribute whose content is not decoded. It cannot be encoded. */
export const skipped: Kind<number> = {
  size: value => value,
  write: (value, into, offset) => into.fill(0, offset, offset + value),
  read: (_from, offset, end) => end - offset,
  show: value => `(${value} bytes)`,
}

/** Nested attributes. */
export function nested<L extends Layout>(layout: L): Kind<Values<L>> {
  const entries = Object.entries(layout)
  const byNumber: (readonly [string, Kind<unknown>] | undefined)[] = []
  for (const [name, [number, kind]] of entries) byNumber[number] = [name, kind]
  // Lists in parallel: to take pairs apart costs most where V8 has not optimized it yet, as at a start.
  const names = entries.map(([name]) => name)
  const kinds = entries.map(([, [, kind]]) => kind)
  const types = entries.map(([, [number, kind]]) => (kind.nested ? number | nestedFlag : number))

  return {
    nested: true,

    size(values) {
      let size = 0
      for (let i = 0; i < names.length; i++) {
        const value = values[names[i] as string]
        if (value !== undefined) size += headerSize + aligned((kinds[i] as Kind<unknown>).size(value))
      }
      return size
    },

    write(values, into, start) {
      let offset = start
      for (let i = 0; i < names.length; i++) {
        const value = values[names[i] as string]
        if (value === undefined) continue
        const kind = kinds[i] as Kind<unknown>
        const written = kind.write(value, into, offset + headerSize)
        const size = kind.nested ? (written as number) : kind.size(value)
        put16(into, headerSize + size, offset)
        put16(into, types[i] as number, offset + 2)
        offset += headerSize + aligned(size)
      }
      return offset - start
    },

    read(from, start, end) {
      const values: Record<string, unknown> = {}
      for (let offset = start; offset < end; ) {
        if (end - offset < headerSize) throw malformed(`${end - offset} bytes behind the last attribute`)
        const length = get16(from, offset)
        if (length < headerSize) throw malformed(`an attribute of length ${length}`)
        if (offset + length > end) throw malformed('an attribute reaches beyond the end')
        const known = byNumber[get16(from, offset + 2) & typeMask]
        if (known) values[known[0]] = known[1].read(from, offset + headerSize, offset + length)
        offset += aligned(length)
      }
      return values as Values<L>
    },

    show(values) {
      const shown = entries.flatMap(([name, [, kind]]) =>
        values[name] === undefined ? [] : [`${name} ${kind.show(values[name])}`],
      )
      return shown.length === 0 ? '{}' : `{ ${shown.join(', ')} }`
    },
  }
}
