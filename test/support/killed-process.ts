/** Runs a file as a process that is killed at a random moment after its first output. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pause } from './until.js'

/** Resolves to the complete lines that the process has printed. `file` is TypeScript, or compiled. */
export async function linesUntilKilled(file: string, args: readonly string[]): Promise<readonly string[]> {
  const loader = file.endsWith('.ts') ? ['--import', 'tsx'] : []
  const child = spawn(process.execPath, [...loader, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', chunk => {
    said += chunk
  })
  await once(child.stdout, 'data')
  await pause(Math.random() * 60)
  child.kill('SIGKILL')
  await once(child, 'close')
  return said.slice(0, said.lastIndexOf('\n')).split('\n')
}
