import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import { loadConfig } from '../../../src/config/load.js'
import { portLookup } from '../../../src/config/ports.js'
import { validate } from '../../../src/config/validate/validate.js'
import { readYaml } from '../../../src/config/yaml/read-yaml.js'
import type { Config, Service } from '../../../src/core/model.js'

/** Returns the configuration of a YAML text, which must have no errors. */
export async function configOf(text: string): Promise<Config> {
  const { config, problems } = await loadConfig('site.yaml', { text })
  assert.ok(
    config,
    problems.map(({ code, message, at }) => `${at.line}:${at.column} ${code} ${message}`).join('\n'),
  )
  return config
}

/** Returns the only service of a configuration. */
export async function serviceOf(text: string): Promise<Service> {
  const [service] = (await configOf(text)).services
  assert.ok(service)
  return service
}

/** Returns `line:column CODE` for each problem. */
export async function problemsOf(text: string): Promise<readonly string[]> {
  const { problems } = await loadConfig('site.yaml', { text })
  return problems.map(({ at, code }) => `${at.line}:${at.column} ${code}`)
}

/** Validates with the given checks instead of lvsd's, and without access to the file system. */
export function validated(text: string, checks: readonly Check[] = []) {
  const named = checks.flatMap(check =>
    [check.name, ...(check.aliases ?? [])].map(name => [name, check] as const),
  )
  return validate({
    file: 'site.yaml',
    document: readYaml(text, 'site.yaml'),
    checks: new Map(named),
    ports: portLookup('http 80/tcp www\ndomain 53/udp\n'),
  })
}

/** Returns the YAML of an IPv6 service with the given lines after its virtual address and check. */
export function siteWith(...lines: readonly string[]): string {
  return [
    'services:',
    '  web:',
    "    virtual: '[2001:db8::80]:80'",
    ...lines.map(line => `    ${line}`),
    '',
  ].join('\n')
}
