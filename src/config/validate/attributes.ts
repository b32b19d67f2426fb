/** Reads the attributes of a real server: forwarding, weight and thresholds. */
import type { Forwarding, RealAttributes } from '../../core/model.js'
import type { Fields } from '../read/fields.js'
import { mergeLayers, outputOf } from '../read/layers.js'
import { forwardingFields, realAttributeFields, type realFields } from '../schema/real-fields.js'
import type { RealContext } from './real-context.js'

/** Reads each attribute from the real server, else from its service, else from the defaults. */
export function readAttributes(fields: Fields<typeof realFields>, context: RealContext): RealAttributes {
  const layers = [fields, context.own, context.defaults]
  const { values, entry } = mergeLayers(realAttributeFields, layers)
  const { upper, lower } = values
  if (lower > upper) {
    const least = upper === 0 ? 'there is no upper one' : `the upper one is ${upper}`
    context.report.error(
      'THRESHOLDS',
      entry('lower')?.value.at ?? fields.at,
      `the lower threshold is ${lower}, but ${least}; the kernel refuses that`,
    )
  }
  return { ...outputOf(realAttributeFields, layers), ...readForwarding(fields, context) }
}

/** Reads the forwarding and the keys of tunnels. */
export function readForwarding(
  fields: Fields<typeof forwardingFields>,
  { own, defaults, report }: RealContext,
): Pick<RealAttributes, 'forwarding' | 'tunnelPort' | 'tunnelChecksum'> {
  const { values, entry } = mergeLayers(forwardingFields, [fields, own, defaults])
  const { forwarding, 'tunnel-port': tunnelPort, 'tunnel-checksum': tunnelChecksum } = values
  if (forwarding === 'gue' && tunnelPort === undefined)
    report.error(
      'TUNNEL_PORT',
      entry('forwarding')?.value.at ?? fields.at,
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
