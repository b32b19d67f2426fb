/** Programs in C that benchmarks use. They are compiled before a lab starts, where nothing can be written. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(process.cwd(), 'build/test/bench')

/** Many small web servers: see farm.c. */
export const farm = join(folder, 'farm')
/** A command that appends one byte to a file: see tally.c. */
export const tally = join(folder, 'tally')
/** Connections through the kernel's table that nobody keeps: see flows.c. */
export const flows = join(folder, 'flows')
/** Messages that change the IPVS table: see changes.c. */
export const netlinkChanges = join(folder, 'changes')
/** For keepalived without a table of the kernel: see fake-ipvs.c. */
export const fakeIpvs = join(folder, 'fake-ipvs.so')

export function compileTools(): void {
  mkdirSync(folder, { recursive: true })
  gcc('farm.c', farm)
  gcc('tally.c', tally)
  gcc('flows.c', flows)
  gcc('changes.c', netlinkChanges)
  gcc('fake-ipvs.c', fakeIpvs, '-shared', '-fPIC')
}

function gcc(source: string, into: string, ...options: readonly string[]): void {
  execFileSync('gcc', ['-O2', ...options, '-o', into, join(process.cwd(), 'test/bench', source)])
}
