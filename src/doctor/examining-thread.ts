/** Thread that examines this machine and a configuration: it reads many files, and must not delay checks. */
import { parentPort, workerData } from 'node:worker_threads'
import { type Loaded, loadConfig } from '../config/load.js'
import { hasErrors } from '../config/problems/problem.js'
import { resolveNow } from '../names/resolve-now.js'
import { examine } from './examine.js'
import type { Examination, ExaminationRequest } from './examine-apart.js'
import type { Site } from './facts.js'
import { readMachine } from './read/machine.js'
import { readSite } from './read/site.js'

const { file, daemon, names } = workerData as ExaminationRequest

async function siteOf({ config, checks, problems }: Loaded): Promise<Site> {
  if (config === null || hasErrors(problems)) return readSite({ file, config: null, checks, problems })
  const resolved = await resolveNow(config, names)
  return readSite({ file, config: resolved.config, checks, problems })
}

const site = await siteOf(await loadConfig(file))
const machine = readMachine(daemon, Object.keys(site.config?.sysctls ?? {}))
parentPort?.postMessage({
  isRoot: machine.isRoot,
  findings: examine({ machine, site }),
} satisfies Examination)
