/** The signature of webhooks. A receiver that knows the key can tell that lvsd sent a request, and when. */
import { createHmac } from 'node:crypto'

/**
 * Returns the headers. The signature is the HMAC-SHA-256 of the timestamp (seconds since 1970), a dot and the body,
 * in hexadecimal.
 */
export function signatureHeaders(
  secret: string,
  body: string,
  now: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000))
  const digest = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  return { 'x-lvsd-timestamp': timestamp, 'x-lvsd-signature': `sha256=${digest}` }
}
