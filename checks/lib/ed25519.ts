/**
 * Computes the signature for logins with MariaDB's plug-in ed25519. It is that of RFC 8032, but the secret is the
 * SHA-512 of a password of any length. node:crypto accepts only 32-byte keys, so the arithmetic is implemented here. It
 * is not constant-time: only the server could measure it, and the server knows the password.
 */
import { createHash } from 'node:crypto'

/** Prime of the field, order of the base point, and the constant d of the curve (RFC 8032, 5.1). */
const P = 2n ** 255n - 19n
const L = 2n ** 252n + 27742317777372353535851937790883648493n
const D = mod(-121665n * power(121666n, P - 2n))

/** Extended coordinates: x = X/Z, y = Y/Z, T = XY/Z. */
interface Point {
  readonly X: bigint
  readonly Y: bigint
  readonly Z: bigint
  readonly T: bigint
}

const NEUTRAL: Point = { X: 0n, Y: 1n, Z: 1n, T: 0n }
const BASE = pointAt(
  15112221349535400772501151409588531511454012693041857206046113283949847762202n,
  46316835694926478169428394003475163141307993866256225615783033603165251855960n,
)

function pointAt(X: bigint, Y: bigint): Point {
  return { X, Y, Z: 1n, T: mod(X * Y) }
}

/** Returns the signature of the message: R and S, 64 bytes. */
export function signByPassword(password: string, message: Uint8Array): Buffer {
  const { scalar, prefix, publicKey } = keyOf(password)
  const nonce = hashed(prefix, message) % L
  const commitment = encoded(times(nonce, BASE))
  const challenge = hashed(commitment, publicKey, message) % L
  return Buffer.concat([commitment, littleEndian((challenge * scalar + nonce) % L)])
}

interface Key {
  readonly scalar: bigint
  readonly prefix: Buffer
  readonly publicKey: Buffer
}

let last: { readonly password: string; readonly key: Key } | null = null

/** Derives the key. The last one is cached, because it is half of the work and most servers are checked with one user. */
function keyOf(password: string): Key {
  if (last?.password === password) return last.key
  const hash = createHash('sha512').update(password).digest()
  const bytes = hash.subarray(0, 32)
  // RFC 8032, 5.1.5 sets and clears these bits.
  bytes[0] = (bytes[0] ?? 0) & 248
  bytes[31] = ((bytes[31] ?? 0) & 127) | 64
  const scalar = fromLittleEndian(bytes)
  const key = { scalar, prefix: hash.subarray(32), publicKey: encoded(times(scalar, BASE)) }
  last = { password, key }
  return key
}

function hashed(...parts: readonly Uint8Array[]): bigint {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return fromLittleEndian(hash.digest())
}

function times(scalar: bigint, point: Point): Point {
  let sum = NEUTRAL
  let doubled = point
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = add(sum, doubled)
    doubled = add(doubled, doubled)
  }
  return sum
}

/** RFC 8032, 5.1.4. The formula is also valid for equal points. */
function add(p: Point, q: Point): Point {
  const a = mod((p.Y - p.X) * (q.Y - q.X))
  const b = mod((p.Y + p.X) * (q.Y + q.X))
  const c = mod(2n * p.T * q.T * D)
  const d = mod(2n * p.Z * q.Z)
  const [e, f, g, h] = [b - a, d - c, d + c, b + a]
  return { X: mod(e * f), Y: mod(g * h), Z: mod(f * g), T: mod(e * h) }
}

/** Encodes y, with the lowest bit of x as the highest bit (RFC 8032, 5.1.2). */
function encoded({ X, Y, Z }: Point): Buffer {
  const inverse = power(Z, P - 2n)
  return littleEndian(mod(Y * inverse) | ((mod(X * inverse) & 1n) << 255n))
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let squared = mod(base)
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * squared)
    squared = mod(squared * squared)
  }
  return result
}

function mod(value: bigint): bigint {
  const rest = value % P
  return rest < 0n ? rest + P : rest
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()
}
