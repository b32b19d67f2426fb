/** Formats the status as one line of a Nagios plug-in. Pure. */

import type { RealStatus, ServiceStatus, StatusDocument } from '../../api/status-types.js'
import { hostPort } from '../../core/display-names.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'

/** Exit codes of Nagios plug-ins. Exit code 3, unknown, is also `EXIT.unreachable`: no lvsd answers. */
export const VERDICTS = { 0: 'OK', 1: 'WARNING', 2: 'CRITICAL' } as const
export type Verdict = keyof typeof VERDICTS

export interface Checked {
  readonly verdict: Verdict
  readonly line: string
}

/** Maximum number of problems named in the line. */
const MOST_NAMED = 5

/**
 *   critical  lvsd has lost its network, or is isolated; a service is in panic; a service has no available real server, with or without a
 *             fallback
 *   warning   a server is down without a hold; a check has no verdict; a name has no address, or no longer the address
 *             in use; the last reload was refused, or the kept configuration runs instead of the file; the kernel
 *             refuses a change or a sysctl
 *   ok        otherwise
 */
export function checkStatus(document: StatusDocument): Checked {
  const critical = [
    ...(document.cluster?.connectivity?.lost
      ? [`this director has lost its network: ${document.cluster.connectivity.lost.detail}`]
      : []),
    ...(document.isolation ? [`lvsd is isolated: ${document.isolation.detail}`] : []),
    ...document.services.flatMap(({ name, panic }) =>
      panic ? [`${name} is in panic: ${panic.held.length} down are held in the table`] : [],
    ),
    ...document.services.filter(({ state }) => state === 'down').map(lostService),
  ]
  const warnings = [...configurationTroubles(document), ...document.services.flatMap(serviceTroubles)]
  const verdict: Verdict = critical.length > 0 ? 2 : warnings.length > 0 ? 1 : 0
  const troubles = [...critical, ...warnings]
  const left = troubles.length - MOST_NAMED
  const named = left > 0 ? [...troubles.slice(0, MOST_NAMED), `${left} more`] : troubles
  const reals = document.services.flatMap(service => service.reals)
  const count = (state: string) => reals.filter(real => real.state === state).length
  const counts = `${count('up')} up, ${count('down')} down, ${counted(document.services.length, 'service')}`
  const figures = `up=${count('up')} down=${count('down')} unknown=${count('unknown')}`
  const text = printable(named.length > 0 ? `${named.join('; ')} (${counts})` : counts)
  // In the output of a plug-in a vertical bar separates the performance data.
  return { verdict, line: `LVSD ${VERDICTS[verdict]} - ${text.replaceAll('|', '/')} | ${figures}` }
}

function lostService({ name, reals, fallback }: ServiceStatus): string {
  const instead = fallback?.inUse ? `fallback ${hostPort(fallback)}` : 'no fallback'
  return `${name} has ${lackOf(reals.length)}, ${instead}`
}

function lackOf(servers: number): string {
  if (servers === 0) return 'no servers'
  return servers === 1 ? 'lost its only server' : `none of ${servers} servers`
}

function configurationTroubles({ config, lastReload, reconcile, sysctls }: StatusDocument): string[] {
  return [
    ...(config.keptSince === null ? [] : [`${config.file} cannot run, the last accepted configuration runs`]),
    ...(lastReload?.ok === false && config.keptSince === null ? ['the last reload was refused'] : []),
    ...reconcile.errors,
    ...sysctls.flatMap(({ trouble }) => trouble ?? []),
  ]
}

function serviceTroubles({ name, nameTrouble, reals, conflicts = [] }: ServiceStatus): string[] {
  const ofAddresses = conflicts.map(
    ({ address, server, hardware }) => `${name}: ${server ?? hardware} answers for ${address} too`,
  )
  const ofReals = reals.flatMap(real => {
    const trouble = troubleOf(real)
    return trouble === null ? [] : [`${name} ${hostPort(real)} ${trouble}`]
  })
  return [...(nameTrouble === null ? [] : [`${name}: ${nameTrouble}`]), ...ofAddresses, ...ofReals]
}

function troubleOf({ state, override, checks, reason, nameTrouble }: RealStatus): string | null {
  if (override?.effect === 'force-down' || override?.effect === 'disable') return null
  if (state === 'down') return `down: ${reason}`
  const unasked = checks.find(({ noVerdict }) => noVerdict)?.noVerdict
  if (unasked) return `no verdict: ${unasked.detail}`
  return nameTrouble && `name: ${nameTrouble}`
}
