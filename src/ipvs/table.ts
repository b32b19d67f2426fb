/** Opens the IPVS table that a command line names. */
import type { Kernel } from './kernel.js'

export const TABLES = ['netlink', 'memory'] as const
export type TableName = (typeof TABLES)[number]

/**
 * Opens the kernel's table, or a new table in memory. With LVSD_TRACE=netlink in the environment, every message to and
 * from the kernel is printed on standard error; with LVSD_DEMO_TRAFFIC, a table in memory has simulated clients, that many
 * connections per second and service. Only the selected implementation is loaded. Throws a KernelError.
 */
export async function openTable(
  name: TableName,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Kernel> {
  if (name === 'memory') {
    const { memoryKernel } = await import('./memory.js')
    const rate = Number(env.LVSD_DEMO_TRAFFIC ?? 0)
    return memoryKernel(undefined, rate > 0 ? { rate } : undefined)
  }
  const trace = env.LVSD_TRACE === 'netlink' ? { trace: (text: string) => console.error(text) } : {}
  return (await import('./client.js')).openKernel(trace)
}
