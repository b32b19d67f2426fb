/**
 * Sets up a fresh clone, before npm start (`build`) and npm test (`test`): packages of npm, the compiled program, and for
 * the tests the Debian packages of test/support/packages.txt. `install` puts lvsd on this machine as a service, below $DESTDIR
 * where that is set; `install --ldirectord` in the place of ldirectord; `uninstall` takes both away again. `package` makes a
 * Debian package. Does only what is missing, and says what it does.
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
  readlinkSync,
  realpathSync,
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
  fail(
    `this is Node.js ${process.versions.node} (${process.execPath}); lvsd needs 20.19 or later. ` +
      'Debian 13 has it (apt install git nodejs npm); for Debian 12 take the archive from https://nodejs.org/',
  )

const root = join(import.meta.dirname, '..')
const LVSD = '/usr/local/bin/lvsd'
const LDIRECTORD = '/usr/sbin/ldirectord'
const isCi = /^(1|true)$/.test(process.env.CI ?? '')

const [step, ...options] = process.argv.slice(2)
const steps = {
  build: [installModules, compile],
  test: [installModules, installDebian, compile],
  install: [refuseForeignTree, installModules, compile, refuseForeignTree, writeCodeCache, installService],
  'install --ldirectord': [
    ...[refuseForeignTree, installModules, compile, refuseForeignTree, writeCodeCache],
    installLdirectord,
  ],
  uninstall: [uninstall],
  package: options.includes('--help') ? [makePackage] : [installModules, makePackage],
}
const USAGE = `usage: node deploy/setup.mjs STEP
  build                  the packages of npm and the compiled program, as far as they are missing
  test                   the same, and the Debian packages that tests need
  install                lvsd as a service: command, unit, kernel modules and settings
  install --ldirectord   lvsd in the place of ldirectord: command, unit, kernel modules and settings
  uninstall              removes what install has put; configurations and state stay
  package [options]      a Debian package that needs no Node.js; package --help lists the options
With DESTDIR set, install and uninstall work below that folder.`
const wanted = step === 'package' ? step : [step, ...options].join(' ')
if (/^(-h|--help|help)$/.test(wanted)) {
  console.log(USAGE)
  process.exit(0)
}
const chosen = steps[wanted]
if (!chosen) fail(USAGE)
for (const part of chosen) part()

// ---------------------------------------------------------------- npm

function installModules() {
  const lock = join(root, 'package-lock.json')
  const stamp = join(root, 'node_modules', '.package-lock.json')
  if (existsSync(stamp) && modified(stamp) >= modified(lock)) return
  say('npm ci: the packages of package-lock.json')
  // typescript is a development package and koffi's binary an optional one: both are needed, whatever NODE_ENV says.
  // Its warnings are about the packages' scripts and ages, and call for nothing here; errors are shown.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  run('npm', ['ci', ...quiet, '--include=dev', '--include=optional'], 'npm ci failed')
  utimesSync(stamp, new Date(), new Date())
}

function compile() {
  const stamp = join(root, 'dist', 'src', 'main.cjs')
  const sources = [
    'src',
    'checks',
    'deploy/bundle.mjs',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
  ]
  if (existsSync(stamp) && modified(stamp) >= Math.max(...sources.map(name => newest(join(root, name)))))
    return
  say('build: src and checks into dist')
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  run('npm', ['run', '--silent', 'build'], 'the build failed')
  utimesSync(stamp, new Date(), new Date())
}

/** The Node.js of this machine need not be that of the build. lvsd also runs without it. */
function writeCodeCache() {
  const { status } = spawnSync(process.execPath, [join(root, 'dist/src/cli/write-code-cache.js')], {
    stdio: 'inherit',
  })
  if (status !== 0) say('lvsd will take longer to start')
}

function newest(path) {
  if (!existsSync(path)) return 0
  if (!statSync(path).isDirectory()) return modified(path)
  return Math.max(modified(path), ...readdirSync(path).map(name => newest(join(path, name))))
}

function modified(path) {
  return statSync(path).mtimeMs
}

function makePackage() {
  run(
    process.execPath,
    [join(root, 'deploy/package/package.mjs'), ...options],
    'no package is made',
    process.cwd(),
  )
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
  const list = join(root, 'test/support/packages.txt')
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

/**
 * What root installs is run by root, or with power over the kernel's tables: whoever owns a file of it, or may write one,
 * would have that too. Looked at before anything of it is run, and again with what npm has brought.
 */
function refuseForeignTree() {
  if (process.getuid?.() !== 0) return
  const foreign = firstForeign(realpathSync(root))
  if (!foreign) return
  fail(
    `${foreign} belongs to another user than root, or others may write it, and would run as root: ` +
      `clone into /opt as root, or chown -R root: ${root} && chmod -R go-w ${root}`,
  )
}

function firstForeign(tree) {
  for (const folder of foldersAbove(tree)) if (isForeign(folder, true)) return folder
  const waiting = [tree]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (isForeign(path, false)) return path
    const stat = lstatSync(path)
    if (stat.isDirectory())
      waiting.push(...readdirSync(path).flatMap(name => (name === '.git' ? [] : join(path, name))))
    else if (stat.isSymbolicLink() && path === join(tree, 'node_modules')) waiting.push(realpathSync(path))
  }
  return null
}

/** In a sticky folder above it, such as /tmp, others may add entries but not replace ours. */
function isForeign(path, isAbove) {
  const { uid, mode } = lstatSync(path)
  const isLink = (mode & 0o170000) === 0o120000
  const isSticky = isAbove && (mode & 0o1000) !== 0
  return uid !== 0 || (!isLink && !isSticky && (mode & 0o022) !== 0)
}

function installService() {
  installCommon()
  copy('deploy/lvsd.service', '/etc/systemd/system/lvsd.service')
  if (!existsSync(place('/etc/lvsd/lvsd.yaml'))) copy('config/example.yaml', '/etc/lvsd/lvsd.yaml')
  activate()
  say('next: edit /etc/lvsd/lvsd.yaml, lvsd validate and lvsd plan it, then systemctl enable --now lvsd')
}

/** lvsd under ldirectord's name and command line. Its unit, init script, resource agent and files stay as they are. */
function installLdirectord() {
  installCommon()
  chmodSync(join(root, 'deploy/ldirectord'), 0o755)
  moveAside(place(LDIRECTORD), `${place(LDIRECTORD)}.perl`)
  link(join(root, 'deploy/ldirectord'), LDIRECTORD)
  copy('deploy/ldirectord.service', '/etc/systemd/system/ldirectord.service')
  activate()
  say(
    'next: ldirectord restart, by your unit, your init script or your cluster. A daemon of before is stopped by it',
  )
}

/** The command lvsd, and what a director's kernel needs. */
function installCommon() {
  const main = join(root, 'dist', 'src', 'main.cjs')
  const hidden = foldersAbove(main).find(folder => (statSync(folder).mode & 0o005) !== 0o005)
  if (hidden)
    fail(`${hidden} is closed to other users, and lvsd does not run as root: put this folder into /opt`)
  chmodSync(main, 0o755)
  link(main, LVSD)
  copy('deploy/lvsd.sysctl.conf', '/etc/sysctl.d/60-lvsd.conf')
  copy('deploy/lvsd.modules.conf', '/etc/modules-load.d/lvsd.conf')
}

/** What counts only from the next boot is done now as well. */
function activate() {
  if (process.env.DESTDIR) return
  const modprobe = spawnSync('modprobe', ['ip_vs'], { encoding: 'utf8' })
  if (modprobe.status !== 0)
    say(
      `the module ip_vs is not loaded (${(modprobe.stderr ?? modprobe.error?.message ?? '').trim()}): lvsd needs it`,
    )
  reloadUnits()
}

function reloadUnits() {
  if (process.env.DESTDIR) return
  if (spawnSync('systemctl', ['daemon-reload']).error)
    say('there is no systemctl here: units are copied, and nobody is told')
}

/** Only what points here, or is a file of ours; what ran goes on running until it is stopped. */
function uninstall() {
  for (const unit of ['lvsd', 'ldirectord']) {
    if (!process.env.DESTDIR && spawnSync('systemctl', ['--quiet', 'is-active', unit]).status === 0)
      fail(`${unit} is running: systemctl disable --now ${unit} first; with lvsd the table stays as it is`)
  }
  removeLink(LVSD)
  if (removeLink(LDIRECTORD)) moveBack(place(LDIRECTORD), `${place(LDIRECTORD)}.perl`)
  for (const [from, to] of [
    ['deploy/lvsd.service', '/etc/systemd/system/lvsd.service'],
    ['deploy/ldirectord.service', '/etc/systemd/system/ldirectord.service'],
    ['deploy/lvsd.sysctl.conf', '/etc/sysctl.d/60-lvsd.conf'],
    ['deploy/lvsd.modules.conf', '/etc/modules-load.d/lvsd.conf'],
  ])
    removeCopy(from, to)
  reloadUnits()
  say('what stays: /etc/lvsd, /etc/ha.d, /var/lib/lvsd, /var/lib/ldirectord, and this folder')
}

function removeLink(path) {
  const stat = lstatSync(place(path), { throwIfNoEntry: false })
  if (!stat?.isSymbolicLink() || !readlinkSync(place(path)).startsWith(`${root}/`)) return false
  say(`${place(path)} is removed`)
  rmSync(place(path))
  return true
}

/** A file that somebody has changed is his. */
function removeCopy(from, path) {
  if (!existsSync(place(path))) return
  const isOurs = readFileSync(place(path)).equals(readFileSync(join(root, from)))
  say(isOurs ? `${place(path)} is removed` : `${place(path)} stays: it is not as it was installed`)
  if (isOurs) rmSync(place(path))
}

function moveBack(path, aside) {
  if (!existsSync(aside)) return
  say(`${aside} becomes ${path} again`)
  const isDiverted =
    !process.env.DESTDIR &&
    /\S/.test(spawnSync('dpkg-divert', ['--list', path], { encoding: 'utf8' }).stdout ?? '')
  if (isDiverted) run('dpkg-divert', ['--local', '--rename', '--remove', path], 'dpkg-divert failed')
  else renameSync(aside, path)
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

function run(program, words, sentence, cwd = root) {
  const { status, error } = spawnSync(program, words, { cwd, stdio: 'inherit' })
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
