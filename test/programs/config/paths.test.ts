/** Every path of a configuration begins in the folder of its file. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLdirectord } from '../../../src/config/ldirectord/read-ldirectord.js'
import { ldirectordToYaml } from '../../../src/config/ldirectord/to-yaml.js'
import { loadConfig } from '../../../src/config/load.js'
import { mayBeAccepted } from '../../../src/director/reload-policy.js'
import { temporaryFolder } from '../../support/folder.js'

/** A certificate with its key in a folder. */
function certified(): string {
  const folder = temporaryFolder()
  const args =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x -keyout key.pem -out cert.pem'
  execFileSync('openssl', args.split(' '), { cwd: folder, stdio: 'ignore' })
  return folder
}

async function load(folder: string, check: string, settings = '') {
  const file = join(folder, 'site.yaml')
  writeFileSync(
    file,
    `${settings}services:\n  web:\n    virtual: '[2001:db8::80]:443'\n    check: ${check}\n    reals: ['[2001:db8:1::11]']\n`,
  )
  const { config, problems } = await loadConfig(file)
  return { config, problems, options: config?.services[0]?.reals[0]?.checks[0]?.options }
}

describe('paths: a relative path', () => {
  it('of a certificate begins in the folder of the configuration, wherever lvsd runs', async () => {
    const folder = certified()
    const { options, problems } = await load(
      folder,
      '{ kind: https, verify: true, ca: cert.pem, cert: cert.pem, key: ./key.pem }',
    )
    assert.deepEqual(problems, [])
    assert.equal(options?.ca, join(folder, 'cert.pem'))
    assert.equal(options.key, join(folder, 'key.pem'))
  })

  it('is told whole, at its option, with what is expected there, where there is no such file', async () => {
    const folder = certified()
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'empty.pem'), '')
    const { problems } = await load(
      folder,
      '{ kind: https, verify: true, ca: sub, cert: cert.pem, key: nokey.pem }',
    )
    assert.deepEqual(
      problems.map(({ code, at, message }) => `${at.column} ${code} ${message}`),
      [
        `45 OPTION_FILE "ca" names ${folder}/sub: this is a folder, not a file; expected: PEM file of the authorities to trust instead of the usual ones; needs verify`,
        `71 OPTION_FILE "key" names ${folder}/nokey.pem: there is no such file; expected: PEM file of the key to it; by default in the same file`,
      ],
    )
    const empty = await load(folder, '{ kind: tls, cert: empty.pem }')
    assert.deepEqual(
      empty.problems.map(({ code, at, message }) => `${at.column} ${code} ${message}`),
      [`31 OPTION_FILE tls: cert: ${folder}/empty.pem holds nothing in PEM form`],
    )
    for (const each of [problems, empty.problems]) assert.equal(mayBeAccepted(each), true, 'tried again')
  })

  it('of a command has a slash; a bare name is looked up', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'bin'), { mode: 0o755 })
    writeFileSync(join(folder, 'bin/ok'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    const ours = await load(folder, '{ kind: external, checkcommand: ./bin/ok }')
    assert.equal(ours.options?.checkcommand, join(folder, 'bin/ok'))
    const bare = await load(folder, '{ kind: external, checkcommand: true }'.replace('true', "'true'"))
    assert.equal(bare.options?.checkcommand, 'true')
  })

  it('of lvsd itself does, too', async () => {
    const folder = temporaryFolder()
    const { config, problems } = await load(
      folder,
      'none',
      'settings: { socket: run/s, state: state, maintenancedir: held }\ndefaults: { monitorfile: log }\n',
    )
    assert.deepEqual(problems, [])
    const { socket, state, maintenancedir } = config?.settings ?? {}
    assert.deepEqual(
      [socket, state, maintenancedir],
      ['run/s', 'state', 'held'].map(path => join(folder, path)),
    )
    assert.equal(config?.services[0]?.monitorfile, join(folder, 'log'))
  })

  it('of an ldirectord.cf is whole in the YAML that it is imported to', async () => {
    const text =
      'maintenancedir=held\nvirtual=192.0.2.1:80\n\treal=198.51.100.1:80 masq\n\tchecktype=external\n\tcheckcommand=./bin/x\n\tmonitorfile=log\n'
    const { checks } = await loadConfig('site.cf', { text })
    const yaml = ldirectordToYaml(text, readLdirectord(text, 'site.cf', { checks }))
    assert.match(yaml, /maintenancedir: \/held$/m)
    assert.match(yaml, /checkcommand: \/bin\/x$/m)
    assert.match(yaml, /monitorfile: \/log$/m)
  })

  it('of an ldirectord.cf stays as it is: ldirectord has another rule', async () => {
    const folder = temporaryFolder()
    const file = join(folder, 'site.cf')
    writeFileSync(
      file,
      'maintenancedir=held\nvirtual=192.0.2.1:80\n\treal=198.51.100.1:80 masq\n\tmonitorfile="log"\n',
    )
    const { config } = await loadConfig(file)
    assert.equal(config?.settings.maintenancedir, 'held')
    assert.equal(config.services[0]?.monitorfile, 'log')
  })
})
