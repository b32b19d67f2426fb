/** What variables of the environment choose of a benchmark: `SIZES=500 BESIDE=keepalived TIMES=3`. */

/** Those that benchmarks read, in a lab too. */
export const VARIABLES = ['BESIDE', 'FAULTS', 'INTERVALS', 'ONLY', 'SIZES', 'TIMES'] as const

export type Variable = (typeof VARIABLES)[number]

/** The words of a variable, `usual` if it is not set. */
export function chosen(variable: Variable, usual: readonly string[]): readonly string[] {
  return process.env[variable]?.split(',') ?? usual
}

export function chosenNumbers(variable: Variable, usual: readonly number[]): readonly number[] {
  return chosen(variable, usual.map(String)).map(Number)
}

/** TIMES: how often each figure is measured. */
export function chosenTimes(usual: number): number {
  return Number(process.env.TIMES ?? usual)
}

/** BESIDE: true if it has this peer, or is not set. */
export function isBeside(peer: string): boolean {
  return chosen('BESIDE', [peer]).includes(peer)
}
