/** A resolver with separate system files, for tests. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openResolver, type ResolverParts } from '../../../src/names/lookup.js'
import { onCleanup } from '../after-each.js'
import { temporaryFolder } from '../folder.js'

export interface Files {
  readonly hosts?: string
  readonly resolvConf?: string
  readonly nsswitch?: string
  /**
   * Seconds to wait for a name server. The default of 5, the maximum of c-ares, prevents false timeouts on a busy
   * machine.
   */
  readonly timeout?: number
  readonly attempts?: number
}

export function resolverWith(files: Files, parts: Pick<ResolverParts, 'port' | 'system' | 'env'> = {}) {
  const folder = temporaryFolder()
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const resolver = openResolver({
    env: {},
    ...parts,
    hosts: write('hosts', files.hosts ?? ''),
    resolvConf: write(
      'resolv.conf',
      `options timeout:${files.timeout ?? 5} attempts:${files.attempts ?? 1}\n${files.resolvConf ?? 'nameserver ::1'}\n`,
    ),
    nsswitch: write('nsswitch.conf', files.nsswitch ?? 'hosts: files dns\n'),
  })
  onCleanup(() => resolver.close())
  return { resolver, write }
}
