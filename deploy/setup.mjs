/**
 * Sets up a fresh clone, before npm start (`build`) and npm test (`test`): packages of npm, the compiled program, and for
 * the tests the Debian packages of test/packages.txt. `install` puts lvsd on this machine as a service, below $DESTDIR
 * where that is set; `install --ldirectord` in the place of ldirectord. Does only what is missing, and says what it does.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

// Before anything else: an older Node lacks what the next lines need.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19))
  fail(`this is Node.js ${process.versions.node} (${process.execPath}); lvsd needs 20.19 or later`)

const root = join(import.meta.dirname, '..')
const isCi = /^(1|true)$/.test(process.env.CI ?? '')

const steps = {
  build: [installModules, compile],
  test: [installModules, installDebian, compile],
  install: [installModules, compile, installService],
  'install --ldirectord': [installModules, compile, installLdirectord],
}
const chosen = steps[process.argv.slice(2).join(' ')]
if (!chosen) fail('usage: node deploy/setup.mjs build|test|install [--ldirectord]')
for (const step of chosen) step()

// ---------------------------------------------------------------- npm

function installModules() {
  const lock = join(root, 'package-lock.json')
  const stamp = join(root, 'node_modules', '.package-lock.json')
  if (existsSync(stamp) && modified(stamp) >= modified(lock)) return
  say('npm ci: the packages of package-lock.json')
  // typescript is a development package and koffi's binary an optional one: both are needed, whatever NODE_ENV says.
  run('npm', ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'], 'npm ci failed')
  utimesSync(stamp, new Date(), new Date())
}

function compile() {
  const stamp = join(root, 'dist', 'src', 'main.js')
  const sources = ['src', 'checks', 'package.json', 'tsconfig.json', 'package-lock.json']
  if (existsSync(stamp) && modified(stamp) >= Math.max(...sources.map(name => newest(join(root, name)))))
    return
  say('tsc: src and checks into dist')
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  run('npm', ['run', '--silent', 'build'], 'the build failed')
  utimesSync(stamp, new Date(), new Date())
}

function newest(path) {
  if (!existsSync(path)) return 0
  if (!statSync(path).isDirectory()) return modified(path)
  return Math.max(modified(path), ...readdirSync(path).map(name => newest(join(path, name))))
}

function modified(path) {
  return statSync(path).mtimeMs
}

// ---------------------------------------------------------------- Debian

function installDebian() {
  const missing = debianPackages().filter(name => !isInstalled(name))
  if (missing.length === 0) return
  const why = whyNotApt()
  if (why) return problem(`${why}: tests that need them are left out. Missing: ${missing.join(' ')}`)
  say(`apt-get install: ${missing.join(' ')}`)
  withoutStartingDaemons(() => {
    apt(['update'])
    if (install(missing)) return
    // One package that this release does not have must not keep the others away.
    const failed = missing.filter(name => !install([name]))
    if (failed.length > 0) problem(`apt-get install failed, and tests are left out, for: ${failed.join(' ')}`)
  })
}

function debianPackages() {
  const list = join(root, 'test', 'packages.txt')
  if (!existsSync(list)) return []
  return readFileSync(list, 'utf8')
    .split('\n')
    .map(line => line.replace(/#.*/, '').trim())
    .filter(Boolean)
}

function isInstalled(name) {
  const { stdout } = spawnSync('dpkg-query', ['-s', name], { encoding: 'utf8' })
  return /^Status: install ok installed$/m.test(stdout ?? '')
}

function whyNotApt() {
  if (spawnSync('apt-get', ['--version']).error) return 'this is no Debian (no apt-get)'
  return process.getuid?.() === 0 ? null : 'not root'
}

function install(names) {
  return apt(['install', '--yes', '--no-install-recommends', ...names])
}

function apt(words) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['-qq', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120']
  const { status, stdout, stderr } = spawnSync('apt-get', [...options, ...words], { encoding: 'utf8', env })
  if (status !== 0) process.stderr.write(`${stdout}${stderr}`)
  return status === 0
}

/** Debian starts a daemon when its package is installed, unless policy-rc.d says no; one that is there is left alone. */
function withoutStartingDaemons(work) {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return work()
  // With a listener Ctrl-C ends apt-get but not us, so that the policy never stays behind.
  const stay = () => say('interrupted')
  process.on('SIGINT', stay).on('SIGTERM', stay)
  try {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n')
    chmodSync(policy, 0o755)
    work()
  } finally {
    rmSync(policy, { force: true })
    process.off('SIGINT', stay).off('SIGTERM', stay)
  }
}

// ---------------------------------------------------------------- this machine

function installService() {
  const main = join(root, 'dist', 'src', 'main.js')
  const hidden = foldersAbove(main).find(folder => (statSync(folder).mode & 0o005) !== 0o005)
  if (hidden)
    fail(`${hidden} is closed to other users, and lvsd does not run as root: put this folder into /opt`)
  chmodSync(main, 0o755)
  link(main, '/usr/local/bin/lvsd')
  copy('deploy/lvsd.service', '/etc/systemd/system/lvsd.service')
  copy('deploy/lvsd.sysctl.conf', '/etc/sysctl.d/60-lvsd.conf')
  copy('deploy/lvsd.modules.conf', '/etc/modules-load.d/lvsd.conf')
  if (!existsSync(place('/etc/lvsd/lvsd.yaml'))) copy('config/example.yaml', '/etc/lvsd/lvsd.yaml')
  if (!process.env.DESTDIR) spawnSync('systemctl', ['daemon-reload'])
  say('next: edit /etc/lvsd/lvsd.yaml, lvsd validate and lvsd plan it, then systemctl enable --now lvsd')
}

/** lvsd under ldirectord's name and command line. Its unit, init script, resource agent and files stay as they are. */
function installLdirectord() {
  const command = '/usr/sbin/ldirectord'
  chmodSync(join(root, 'deploy/ldirectord'), 0o755)
  moveAside(place(command), `${place(command)}.perl`)
  link(join(root, 'deploy/ldirectord'), command)
  copy('deploy/ldirectord.service', '/etc/systemd/system/ldirectord.service')
  if (!process.env.DESTDIR) spawnSync('systemctl', ['daemon-reload'])
  say(
    'next: ldirectord restart, by your unit, your init script or your cluster. A daemon of before is stopped by it',
  )
}

/** A program of a Debian package is diverted: an upgrade of that package would put it back otherwise. */
function moveAside(path, aside) {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return
  say(`${path} becomes ${aside}`)
  const isDebians = !process.env.DESTDIR && spawnSync('dpkg-query', ['-S', path]).status === 0
  if (isDebians)
    run('dpkg-divert', ['--local', '--rename', '--divert', aside, '--add', path], 'dpkg-divert failed')
  else renameSync(path, aside)
}

function place(path) {
  return `${process.env.DESTDIR ?? ''}${path}`
}

function foldersAbove(path) {
  const folder = dirname(path)
  return folder === path ? [] : [...foldersAbove(folder), folder]
}

function link(target, path) {
  say(`${place(path)} -> ${target}`)
  mkdirSync(dirname(place(path)), { recursive: true })
  rmSync(place(path), { force: true })
  symlinkSync(target, place(path))
}

function copy(from, to) {
  say(place(to))
  mkdirSync(dirname(place(to)), { recursive: true })
  copyFileSync(join(root, from), place(to))
}

// ---------------------------------------------------------------- telling

function run(program, words, sentence) {
  const { status, error } = spawnSync(program, words, { cwd: root, stdio: 'inherit' })
  if (status !== 0) fail(error ? `${sentence}: ${error.message}` : sentence)
}

/** What only leaves tests out is told and goes on; in CI it is a failure. */
function problem(sentence) {
  if (isCi) fail(sentence)
  say(sentence)
}

function fail(sentence) {
  console.error(`setup: ${sentence}`)
  process.exit(1)
}

function say(sentence) {
  console.error(`setup: ${sentence}`)
}
