/** A generic netlink family: its name, its commands, and its top-level attributes. */
import { type Layout, nested, text, u16, type Values } from './attribute.js'
import type { Body } from './message.js'

export interface Family<L extends Layout> {
  readonly name: string
  readonly version: number
  readonly commands: Readonly<Record<string, number>>
  readonly attributes: L
}

/** A request to a family: a command and its attributes. */
export interface Request<L extends Layout> {
  readonly command: string
  readonly values: Values<L>
}

/** The family that maps family names to numbers (linux/genetlink.h). Its own number is fixed. */
export const control = {
  name: 'nlctrl',
  version: 1,
  commands: { NEWFAMILY: 1, GETFAMILY: 3 }, // CTRL_CMD_
  attributes: {
    FAMILY_ID: [1, u16], // CTRL_ATTR_
    FAMILY_NAME: [2, text],
  },
} as const satisfies Family<Layout>

/** Encodes, decodes and prints the part after the header in messages of a family. */
export interface Coder<L extends Layout> {
  readonly version: number
  encode(values: Values<L>): Body
  decode(from: Buffer, start: number, end: number): Values<L>
  show(values: Values<L>): string
  commandName(number: number): string
  commandNumber(name: string): number
}

export function coder<L extends Layout>(family: Family<L>): Coder<L> {
  const body = nested(family.attributes)
  const names = new Map(Object.entries(family.commands).map(([name, number]) => [number, name]))
  return {
    version: family.version,
    encode: values => ({
      size: body.size(values),
      write: (into, offset) => body.write(values, into, offset),
    }),
    decode: (from, start, end) => body.read(from, start, end),
    show: values => body.show(values),
    commandName: number => names.get(number) ?? `command ${number}`,
    commandNumber(name) {
      const number = family.commands[name]
      if (number === undefined) throw new TypeError(`${family.name} has no command ${name}`)
      return number
    },
  }
}
