import { readdirSync } from 'node:fs'

/** Returns the names of all interfaces of this network namespace, those without an address included; null: unknown. */
export function interfaceNames(): readonly string[] | null {
  try {
    return readdirSync('/sys/class/net')
  } catch {
    return null
  }
}
