import assert from 'node:assert/strict'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { check } from '../../../checks/external-perl.js'
import { missingOf, parseOptions, problemOf } from '../../support/checks/options.js'
import { folderOf, programOr } from '../../support/checks/programs.js'
import { probe, targetOf } from '../../support/probe.js'
import { address } from '../../support/tables.js'

const SLOW = { timeout: 15_000 }
const target = targetOf({ host: '2001:db8:1::11', port: 80 })

describe('external-perl', function () {
  this.timeout(60_000)
  before(function () {
    programOr(() => this.skip(), 'perl', 'perl')
  })

  const cases: [string, string, string | null, RegExp][] = [
    ['ends', 'my $x = 0;', null, /^exit 0$/],
    ['ends in a comment without a line end', 'my $x = 1; # done', null, /^exit 0$/],
    ['ends in something false', 'print "fine\\n"; 0;', null, /^exit 0: fine$/],
    ['exits with 0', 'exit 0; die "never";', null, /^exit 0$/],
    ['exits', 'exit;', null, /^exit 0$/],
    ['exits with 3', 'print STDERR "no page\\n"; exit 3;', 'status', /^exit 3: no page$/],
    ['returns, as a piece of code may', 'return 5 if @ARGV; exit 1;', null, /^exit 0$/],
    ['exits in a function', 'sub f { exit $_[0] } f(2);', 'status', /^exit 2/],
    ['dies', 'die "no answer\\n";', 'status', /no answer/],
    ['lives though something in it dies', 'eval { die "no" }; exit 0;', null, /^exit 0$/],
    ['is no Perl', 'this is ( no perl', 'status', /not allowed in expression/],
    ['is strict', 'use strict; use warnings; my ($v, $p) = @ARGV; exit($p == 80 ? 0 : 1);', null, /exit 0/],
    ['has data', 'while (<DATA>) { print }\n__DATA__\nthe data\n', null, /the data/],
    ['is a program', readFileSync('/bin/true', 'latin1'), 'status', /Unrecognized character/],
    ['kills itself', 'kill 9, $$; sleep 5;', 'signal', /SIGKILL/],
  ]
  for (const [phrase, code, reason, said] of cases)
    it(`is judged where the script ${phrase}`, async () => {
      const checkcommand = join(folderOf({ 'check.pl': code }), 'check.pl')
      const result = await probe(check, target, { checkcommand }, SLOW)
      assert.equal(result.reason, reason, result.detail)
      assert.match(result.detail, said)
    })

  it("is told ldirectord's four arguments", async () => {
    const checkcommand = join(folderOf({ 'check.pl': 'print "$0: @ARGV\\n";' }), 'check.pl')
    const said = await probe(check, target, { checkcommand }, SLOW)
    assert.equal(said.detail, `exit 0: ${checkcommand}: [2001:db8::80] 80 [2001:db8:1::11] 80`)
    const to = address('192.0.2.1')
    const service = { ...target.service, address: null, port: 0, protocol: 'fwm', fwmark: 9 } as const
    const v4 = { ...target, real: { ...target.real, address: to }, service }
    assert.match((await probe(check, v4, { checkcommand }, SLOW)).detail, / 9 0 192.0.2.1 80$/)
  })

  it('is killed at its deadline', async () => {
    const checkcommand = join(folderOf({ 'check.pl': 'sleep 60;' }), 'check.pl')
    assert.equal((await probe(check, target, { checkcommand }, { timeout: 300 })).reason, 'timeout')
  })

  it('is not run, and no verdict, where it is missing, a folder, or may be written by others', async () => {
    const folder = folderOf({ 'open.pl': 'exit 0;' })
    chmodSync(join(folder, 'open.pl'), 0o666)
    for (const [checkcommand, said] of [
      [join(folder, 'none.pl'), /does not exist/],
      [join(folder, 'open.pl'), /written by others/],
      [folder, /is not a file/],
    ] as const) {
      const result = await probe(check, target, { checkcommand }, SLOW)
      assert.equal(result.ok, null)
      assert.match(result.detail, said)
      assert.match(missingOf(check, { checkcommand }) ?? '', said)
    }
  })

  it('needs the path of a script', () => {
    assert.throws(() => parseOptions(check, {}))
    assert.match(problemOf(check, { checkcommand: '' }) ?? '', /path/)
    assert.match(problemOf(check, { checkcommand: 'a\0' }) ?? '', /NUL/)
  })
})
