/**
 * Splits a service with several protocols or ports into parts. The kernel has a service for each pair of protocol and
 * port.
 */
import type { Protocol } from '../../core/model.js'
import { readPort } from '../endpoints.js'
import { mergeLayers } from '../read/layers.js'
import { serviceFields } from '../schema/schema.js'
import type { Context, ServiceFields } from './context.js'

/** One pair of protocol and port. */
export interface Part {
  /** Unique name in the configuration. */
  readonly name: string
  readonly protocol: Protocol
  /** Null: the port is in `virtual`. */
  readonly port: number | null
  /** Protocols of all parts. */
  readonly protocols: readonly Protocol[]
  /** Name of the service in the configuration and of its first part. Null if there is only one part. */
  readonly of: { readonly of: string; readonly first: string } | null
}

/** Returns all parts: at least one, even if keys are invalid. */
export function partsOf(name: string, own: ServiceFields, context: Context): readonly Part[] {
  const protocols = unique(
    [mergeLayers({ protocol: serviceFields.protocol }, [own]).values.protocol].flat(),
    'protocol',
    own,
    context,
  )
  const ports = portsOf(own, protocols[0] ?? 'tcp', context)
  const pairs = protocols.flatMap(protocol => ports.map(port => ({ protocol, port })))
  const nameOf = ({ protocol, port }: { protocol: Protocol; port: number | null }) =>
    [name, ...(protocols.length > 1 ? [protocol] : []), ...(ports.length > 1 ? [String(port)] : [])].join('/')
  const [first] = pairs
  const of = pairs.length > 1 && first ? { of: name, first: nameOf(first) } : null
  return pairs.map(pair => ({ ...pair, name: nameOf(pair), protocols, of }))
}

function portsOf(own: ServiceFields, protocol: Protocol, context: Context): readonly (number | null)[] {
  const { ports } = own.values
  if (ports === undefined) return [null]
  const read = ports.map((port, i) =>
    typeof port === 'number' ? port : readPort(port, own.itemAt('ports', i), { ...context, protocol }),
  )
  const right = read.filter(port => port !== null)
  return right.length === 0 ? [null] : unique(right, 'ports', own, context)
}

function unique<T>(
  values: readonly T[],
  key: 'protocol' | 'ports',
  own: ServiceFields,
  { report }: Context,
): readonly T[] {
  for (const [i, value] of values.entries())
    if (values.indexOf(value) < i)
      report.error('BAD_VALUE', own.itemAt(key, i), `${String(value)} stands twice in "${key}"`)
  return [...new Set(values)]
}
