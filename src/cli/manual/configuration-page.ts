/** The man page lvsd.yaml(5), from the reference of the configuration. Pure. */
import type { ManualFacts } from './command-page.js'
import { pageOf } from './markdown.js'
import { bold, head, joined, lines, paragraph, plain, section } from './roff.js'

/** The beginning of the reference is about files beside it. Its list of conventions stays. */
const BEFORE_CONVENTIONS = /^[\s\S]*?(?=^- )/m

/** A configuration to begin with, in lines that fit into a page of 80 columns. */
export const EXAMPLE = `defaults:
  check: { interval: 5s, timeout: 3s, fall: 2, rise: 1 }

services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: http, request: /health, receive: ok }
    reals: # address, forwarding, weight
      - '[2001:db8:1::11]:80 masq'
      - '[2001:db8:1::12]:80 masq 2'
    fallback: '[2001:db8:1::99]:80'`

/** Returns the page. `reference` is config/reference.md. */
export function configurationPage(reference: string, facts: ManualFacts): string {
  return joined([
    head({ name: 'lvsd.yaml', section: 5, ...facts }),
    section('NAME'),
    plain('lvsd.yaml - configuration of lvsd'),
    section('DESCRIPTION'),
    paragraph(
      plain(
        'The configuration is a YAML file: virtual services, their real servers, and the checks that decide which of these get connections. "lvsd validate FILE" reports every mistake with its place, "lvsd plan FILE" what would change in the kernel. lvsd reads an ldirectord.cf as well.',
      ),
    ),
    section('EXAMPLE'),
    lines(EXAMPLE),
    section('CONVENTIONS'),
    pageOf(reference.replace(BEFORE_CONVENTIONS, '')),
    section('SEE ALSO'),
    `${bold('lvsd')}(8), ${bold('ipvsadm')}(8)`,
  ])
}
