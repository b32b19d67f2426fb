/** How a real server gets its packets, and how many. */
import type { Forwarding, RealAttributes } from '../../core/model.js'
import type { Position } from '../problems/problem.js'
import type { RawEntry } from '../raw.js'
import type { Fields } from '../read-fields.js'
import { realFields } from '../schema/schema.js'
import { inherit } from './layers.js'
import type { RealContext } from './real-context.js'

type ForwardingKeys = 'forwarding' | 'tunnel-port' | 'tunnel-checksum'

/** Weight, thresholds and forwarding: the real server's own, else its service's, else the default. */
export function readAttributes(fields: Fields<typeof realFields>, context: RealContext): RealAttributes {
  const layers = [fields, context.own, context.defaults]
  const upper = inherit(realFields, 'upper', layers)
  const lower = inherit(realFields, 'lower', layers)
  if (lower > upper) {
    const at = placeOf('lower', layers) ?? fields.at
    const least = upper === 0 ? 'there is no upper one' : `the upper one is ${upper}`
    context.report.error(
      'THRESHOLDS',
      at,
      `the lower threshold is ${lower}, but ${least}; the kernel refuses that`,
    )
  }
  return { ...readForwarding(fields, context), weight: inherit(realFields, 'weight', layers), upper, lower }
}

/** The forwarding and what tunnels need. */
export function readForwarding(
  fields: Fields<Pick<typeof realFields, ForwardingKeys>>,
  { own, defaults, report }: RealContext,
): Pick<RealAttributes, 'forwarding' | 'tunnelPort' | 'tunnelChecksum'> {
  const layers = [fields, own, defaults]
  const forwarding = inherit(realFields, 'forwarding', layers)
  const tunnelPort = inherit(realFields, 'tunnel-port', layers)
  const tunnelChecksum = inherit(realFields, 'tunnel-checksum', layers)
  if (forwarding === 'gue' && tunnelPort === undefined)
    report.error(
      'TUNNEL_PORT',
      placeOf('forwarding', layers) ?? fields.at,
      'gue needs the UDP port of the tunnel: tunnel-port: 6080',
    )
  if (forwarding !== 'gue' && fields.entry('tunnel-port'))
    report.error(
      'TUNNEL_PORT',
      fields.keyAt('tunnel-port'),
      `tunnel-port is for gue; the forwarding here is ${forwarding}`,
    )
  const takesChecksum = takesTunnelChecksum(forwarding, tunnelChecksum)
  if (!takesChecksum && fields.entry('tunnel-checksum'))
    report.error(
      'TUNNEL_CHECKSUM',
      fields.valueAt('tunnel-checksum'),
      `${forwarding} has no checksum "${tunnelChecksum}"`,
    )
  return {
    forwarding,
    tunnelPort: forwarding === 'gue' ? (tunnelPort ?? 0) : 0,
    tunnelChecksum: takesChecksum ? tunnelChecksum : 'none',
  }
}

function takesTunnelChecksum(forwarding: Forwarding, checksum: string): boolean {
  if (checksum === 'none' || forwarding === 'gue') return true
  return forwarding === 'gre' && checksum === 'csum'
}

/** Where the nearest layer that has the key has its value. */
export function placeOf<K extends string>(
  key: K,
  layers: readonly { entry(key: K): RawEntry | undefined }[],
): Position | undefined {
  for (const layer of layers) {
    const entry = layer.entry(key)
    if (entry) return entry.value.at
  }
  return undefined
}
