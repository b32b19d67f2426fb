/** The keys of `api`: where the API and the page are served besides the control socket. */
import { marks, z } from '../../check/option-types.js'
import { endpoint, parseHostPort } from '../../core/address.js'
import { optionalPath, path } from './field-types.js'
import { later, mapping, orNull } from './forms.js'

/** An address to listen on. Parsed to its canonical text, `[2001:db8::1]:8443`. */
function listenAddress() {
  return z.string().transform((text, context) => {
    const { address = null, port = null } = parseHostPort(text) ?? {}
    if (address && port !== null && /^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)
      return endpoint(address, Number(port))
    context.addIssue({
      code: 'custom',
      message: "expected an address and a port, such as '[::1]:8080' or '[2001:db8::1]:8443'",
    })
    return z.NEVER
  })
}

export const tlsFields = later(() => ({
  cert: path().describe('The certificate with its chain, PEM.'),
  key: path().describe('Its private key, PEM; only lvsd should be able to read it.'),
  'client-ca': optionalPath().describe(
    'Certificates of authorities, PEM: only clients with a certificate of one of them may connect. They need a token as well.',
  ),
}))

export const apiFields = later(() => ({
  listen: z
    .array(listenAddress())
    .register(marks, { shown: 'list of addresses and ports' })
    .default([])
    .describe(
      "Where the API and the page are served over TCP: ['[::1]:8080']. Each request needs a token, see `lvsd token`. Default: nowhere.",
    ),
  tls: orNull(mapping('tls', 'a mapping with cert and key', tlsFields)).describe(
    'Serves over TLS. Without it a token can be read on the network, so `listen` should be an address of this machine only.',
  ),
  metrics: z.enum(['open', 'token']).default('token').describe('open: `/metrics` needs no token.'),
}))

export const apiNode = mapping('api', 'a mapping with listen', apiFields)
