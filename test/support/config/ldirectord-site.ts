/** Small files for the tests of the ldirectord.cf reader. */
import assert from 'node:assert/strict'
import { LDIRECTORD } from '../../../src/config/ldirectord/dialect.js'
import { readLdirectord } from '../../../src/config/ldirectord/read-ldirectord.js'
import { ldirectordToYaml } from '../../../src/config/ldirectord/to-yaml.js'
import type { Loaded } from '../../../src/config/load.js'
import { systemPorts } from '../../../src/config/ports.js'
import { validate } from '../../../src/config/validate/validate.js'
import { readYaml } from '../../../src/config/yaml/read-yaml.js'
import type { Config } from '../../../src/core/model.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'

/** Returns a site with one virtual: global lines, then the lines of the section, indented by a tab. */
export function site(section: string, { head = 'virtual=192.0.2.1:80', globals = '' } = {}): string {
  const lines = section === '' ? [] : section.split('\n').map(line => `\t${line.trim()}`)
  return [...(globals === '' ? [] : [globals]), head, ...lines, ''].join('\n')
}

export const REAL = 'real=198.51.100.1:80 masq'

/** Imports an accepted file and reads the resulting YAML. Returns its configuration. */
export async function afterImport(loaded: Loaded): Promise<Config | null> {
  const document = readLdirectord(loaded.text, 'site.cf', { checks: loaded.checks })
  const { config, problems } = await loadYaml(ldirectordToYaml(loaded.text, document))
  const errors = problems.filter(({ severity }) => severity === 'error')
  assert.deepEqual(errors, [])
  return config && { ...config, file: loaded.config?.file ?? '' }
}

const checks = loadChecks()
const ports = systemPorts()

/** Returns the result of `loadConfig` for an ldirectord.cf. Checks and ports are read once for all tests. */
export async function loadCf(text: string): Promise<Loaded> {
  const loaded = (await checks).checks
  const document = readLdirectord(text, 'site.cf', { checks: loaded, ports })
  return {
    ...validate({ file: 'site.cf', document, checks: loaded, ports, dialect: LDIRECTORD }),
    checks: loaded,
    text,
  }
}

async function loadYaml(text: string): Promise<Loaded> {
  const loaded = (await checks).checks
  const document = readYaml(text, 'site.yaml')
  return { ...validate({ file: 'site.yaml', document, checks: loaded, ports }), checks: loaded, text }
}
