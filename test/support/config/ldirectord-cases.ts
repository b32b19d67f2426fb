/** Random ldirectord.cf files: common content, common errors, and special cases of the grammar. */
import { type Values, valuesOf } from './ldirectord-values.js'

/** Returns numbers from 0 to 1. */
export type Random = () => number

/** Returns a generator (mulberry32) that gives the same numbers for the same seed. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Host names that resolve. */
export const NAMES: Readonly<Record<string, string>> = {
  localhost: '127.0.0.1',
  web1: '198.51.100.201',
  web2: '198.51.100.202',
  web3: '198.51.100.203',
  'www.example.com': '192.0.2.200',
  'web_a.example': '198.51.100.211',
  'six1.example': '2001:db8::201',
  'www6.example': '2001:db8::200',
}

const PARTS = valuesOf('part')
const GLOBAL = valuesOf('global')
const VIRTUAL = valuesOf('virtual')

function part(name: string): Values {
  return PARTS.get(name) ?? [[], []]
}

function valuesFor(key: string): Values {
  return VIRTUAL.get(key) ?? GLOBAL.get(key) ?? part(key)
}

/** Share of unusual content in a file: none, little, much. */
const ODDITY = [0, 0, 0.02, 0.02, 0.1, 0.4] as const

/** Returns one file. */
export function randomFile(random: Random): string {
  return new Writer(random).file()
}

class Writer {
  readonly #random: Random
  readonly #oddity: number
  #next = 1
  #port = '80'

  constructor(random: Random) {
    this.#random = random
    this.#oddity = this.#pick(ODDITY)
  }

  file(): string {
    const virtuals = Array.from({ length: 1 + this.#below(3) }, () => this.#virtual())
    const lines = [...this.#globals(), ...virtuals.flat(), ...(this.#chance(0.15) ? this.#globals() : [])]
    const end = this.#odd(0.5) ? '\r\n' : '\n'
    const text = lines.join(end) + (this.#chance(0.1) ? '' : end)
    return this.#odd(0.2) ? `\ufeff${text}` : text
  }

  #globals(): string[] {
    const lines = Array.from({ length: this.#below(6) }, () => {
      const key = this.#pick([...(this.#odd(0.2) ? VIRTUAL : GLOBAL).keys()])
      return this.#line(this.#odd(0.3) ? this.#pick([' ', '\t']) : '', key, valuesFor(key))
    })
    return this.#odd(0.3)
      ? [...lines, this.#pick(['supervised', ';x', 'timeout=5', '[x]', 'connecttimeout=3'])]
      : lines
  }

  #virtual(): string[] {
    const six = this.#chance(0.3)
    this.#port = this.#pick(part('port')[0])
    const head = this.#spaced(
      six ? 'virtual6' : 'virtual',
      this.#value(six ? part('virtuals6') : part('virtuals')),
    )
    const directives = Array.from({ length: this.#below(8) }, () => this.#directive(six))
    const reals = Array.from({ length: this.#below(4) }, () => this.#real(six))
    const body = this.#shuffle([...directives, ...reals])
    const line = this.#odd(0.1) ? `${this.#pick([' ', '\t'])}${head}` : head
    return [
      ...(this.#chance(0.3) ? ['# a service'] : []),
      line,
      ...body.flatMap(one => this.#around(one)),
      ...(this.#chance(0.6) ? [''] : []),
    ]
  }

  #around(line: string): string[] {
    if (this.#chance(0.05)) return [this.#pick(['\t# c', '# c', '   # c', '#']), line]
    return this.#odd(0.1) ? [this.#pick(['', '\t', '   ', '     ', '\t\t', ' ', ';c']), line] : [line]
  }

  #directive(six: boolean): string {
    const key = this.#odd(0.1) ? this.#pick([...GLOBAL.keys()]) : this.#pick([...VIRTUAL.keys(), 'fallback'])
    const six1 = this.#odd(0.2) ? !six : six
    if (key === 'fallback')
      return this.#line(this.#indent(), six1 ? 'fallback6' : key, six1 ? part('fallback6') : part('fallback'))
    if (key === 'netmask') return this.#line(this.#indent(), key, six1 ? part('netmask6') : valuesFor(key))
    return this.#line(this.#indent(), key, valuesFor(key))
  }

  #real(six: boolean): string {
    const word = (this.#odd(0.1) ? !six : six) ? 'real6' : 'real'
    const where = this.#value(six ? part('reals6') : part('reals'))
    const parts = ['forwarding', 'weight', 'pair', 'limits'].map(name => this.#value(part(name))).join('')
    return (
      this.#indent() +
      this.#spaced(word, `${where}${this.#odd(0.1) ? '' : this.#pick([' ', ' ', ' ', '\t', '  '])}${parts}`) +
      this.#tail()
    )
  }

  #line(indent: string, key: string, values: Values): string {
    const word = this.#odd(0.05) ? this.#misspelt(key) : key
    return indent + this.#spaced(word, this.#value(values))
  }

  #misspelt(word: string): string {
    const at = this.#below(word.length)
    return this.#pick([
      word.slice(0, at) + word.slice(at + 1),
      word.toUpperCase(),
      (word[0] ?? '').toUpperCase() + word.slice(1),
      `${word}s`,
      `${word}=`,
    ])
  }

  #spaced(key: string, value: string): string {
    return this.#chance(0.3)
      ? `${key}${this.#pick([' = ', ' =', '= ', '  =  ', '\t=\t'])}${value}`
      : `${key}=${value}`
  }

  #indent(): string {
    if (this.#odd(0.1)) return this.#pick(['', ' ', '  ', '   ', '\u00a0\u00a0\u00a0\u00a0', '\u3000'])
    return this.#pick(['\t', '\t', '\t', '    ', '        ', '\t\t', ' \t', '\t ', '     '])
  }

  #tail(): string {
    return this.#chance(0.1) ? this.#pick([' ', ' # c', '#c', '\t']) : ''
  }

  #value([good, odd]: Values): string {
    return this.#filled(this.#odd(1) ? this.#pick(odd) : this.#pick(good))
  }

  #filled(text: string): string {
    return text
      .replaceAll('PORT', () => this.#port)
      .replaceAll('NAME', () => this.#pick(part('port')[1]))
      .replaceAll('N', () => String(this.#chance(0.9) ? this.#next++ % 10 : 1 + this.#below(4)))
  }

  #shuffle<T>(items: readonly T[]): T[] {
    return items
      .map(item => ({ item, by: this.#random() }))
      .sort((a, b) => a.by - b.by)
      .map(({ item }) => item)
  }

  #odd(share: number): boolean {
    return this.#random() < share * this.#oddity
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T
  }
}

/** Returns the file with one to three editing errors. */
export function mutated(text: string, random: Random): string {
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)] as T
  let lines = text.split('\n')
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    const at = Math.floor(random() * lines.length)
    const line = lines[at] ?? ''
    const column = Math.floor(random() * (line.length + 1))
    const changed = pick<() => readonly string[]>([
      () => [],
      () => [line, line],
      () => [lines[Math.floor(random() * lines.length)] ?? '', line],
      () => [line.slice(0, column) + line.slice(column + 1)],
      () => [
        line.slice(0, column) +
          pick([...'"#=,: \t0-[]\\/.>abZ9_(;\r\'<&', '  ', '\u00a0', 'é', '->']) +
          line.slice(column),
      ],
      () => [line.slice(0, column), line.slice(column)],
      () => [line.trimStart()],
      () => [`\t${line}`],
      () => [line.replaceAll('"', '')],
      () => [line.replace(/=.*/, '=')],
      () => [line.replace(/\s*=\s*/, pick([' = ', '', ' ', ':', '==']))],
      () => [`${line}${pick([' ', ' # c', '\r', ' x', '"', ',', ' 5'])}`],
      () => [line.replace(/\d+/, number => pick(['0', '-1', `${number}0`, `0${number}`, '99999', '']))],
      () => [line.replace(/[a-z]+/, word => pick([word.toUpperCase(), word.slice(1), `${word}x`]))],
      () => [`#${line}`],
    ])()
    lines = [...lines.slice(0, at), ...changed, ...lines.slice(at + 1)]
  }
  return lines.join('\n')
}
