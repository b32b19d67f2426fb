/** The values of checktype. */
import type { Scenario } from '../scenario.js'
import { site } from '../site.js'

const PING_OVER_IPV6 = {
  because: "ldirectord's ping knows IPv4 alone: over IPv6 every server is down",
  families: ['ipv6'],
} as const

/** Commands of the external checks. A server is up while no file with its address as name exists. */
export const commands = {
  command: '#!/bin/sh\ntest ! -e "DIR/$3"\n',
  slow: '#!/bin/sh\ntest ! -e "DIR/$3" || exec sleep 60\n',
  'command.pl': 'exit(-e "DIR/$ARGV[2]" ? 1 : 0);\n',
  killed: '#!/bin/sh\nkill -9 $$\n',
  going: '#!/bin/sh\nexit 0\n',
}

export const quickCheckTypes: readonly Scenario[] = [
  {
    name: 'checktype=on',
    site: site({ 'V1 -> R1 masq 5': { fallback: 'F:80 masq', checktype: 'on' } }, 'tcp 80'),
    steps: [{ what: 'both start, while R1 is dead', servers: { R1: 'down' }, table: 'V1 -> R1 masq 5' }],
  },
  {
    name: 'checktype=off',
    before: '',
    site: site(
      {
        'V1 -> R1 masq 5': { fallback: 'F:80 masq', quiescent: 'no', checktype: 'off' },
        'V2 -> R1 masq 5': { quiescent: 'yes', checktype: 'off' },
      },
      'tcp 80',
    ),
    steps: [{ what: 'both start: the fallback is in', table: 'V1 -> F masq 1; V2 -> R1 masq 0' }],
  },
  {
    name: 'checktype=connect, to another port',
    site: site({ 'V1 -> R1 gate 5': { checktype: 'connect', checkport: '8080' } }, 'tcp 8080'),
    steps: [
      { what: 'both start', table: 'V1 -> R1 gate 5' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1' },
      { what: 'R1 accepts and says nothing', servers: { R1: 'silent' }, table: 'V1 -> R1 gate 5' },
    ],
  },
  {
    name: 'checktype=negotiate without a service',
    site: site({ 'V1:8000 -> R1 masq 5': {}, 'M1 -> R1:8000 masq 5': {} }, 'tcp 8000'),
    steps: [
      {
        what: 'both start, while R1 is dead: nothing is asked',
        servers: { R1: 'down' },
        table: 'V1:8000 -> R1 masq 5; M1 -> R1:8000 masq 5',
      },
    ],
  },
  {
    name: 'checktype=3: one negotiation, three connects',
    site: site({ 'V1 -> R1 masq 5': { service: 'http', receive: '"is ok"', checktype: '3' } }),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5' },
      { what: 'R1 answers wrong', servers: { R1: 'wrong' }, table: 'V1' },
      { what: 'R1 is back', servers: { R1: 'up' }, table: 'V1 -> R1 masq 5' },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'V1' },
    ],
  },
]

/** Check types that block ldirectord for some time. */
export const slowCheckTypes: readonly Scenario[] = [
  {
    name: 'checktype=ping',
    site: site({ 'V1 -> R1 masq 5': { checktimeout: '1', checktype: 'ping' } }, null),
    steps: [
      {
        what: 'both start',
        table: 'V1 -> R1 masq 5',
        ldirectord: { ...PING_OVER_IPV6, table: 'V1' },
      },
      { what: 'R1 is switched off', servers: { R1: 'down' }, table: 'V1' },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: 'V1 -> R1 masq 5',
        ldirectord: { ...PING_OVER_IPV6, table: 'V1' },
      },
    ],
  },
  {
    name: 'checktype=ping, checkcount=2',
    families: ['ipv4'],
    site: site({ 'V1 -> R1 masq 5': { checktimeout: '1', checkcount: '2', checktype: 'ping' } }, null),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5' },
      { what: 'R1 is switched off', servers: { R1: 'down' }, table: 'V1' },
    ],
  },
  {
    name: 'checktype=connect of a udp service is a ping',
    site: site({ 'udp V1:5000 -> R1 masq 5': { checktimeout: '1', checktype: 'connect' } }, null),
    steps: [
      {
        what: 'both start',
        table: 'udp V1:5000 -> R1 masq 5',
        ldirectord: { ...PING_OVER_IPV6, table: 'udp V1:5000' },
      },
      { what: 'R1 is switched off', servers: { R1: 'down' }, table: 'udp V1:5000' },
    ],
  },
  {
    name: 'checktype=external',
    site: site(
      {
        'V1 -> R1 masq 5': { checktype: 'external', checkcommand: 'DIR/command' },
        'M1 -> R1 masq 5': { checktype: 'external', checkcommand: 'DIR/command' },
      },
      null,
    ),
    steps: [
      {
        what: 'both start: the command gets the address in brackets where it is IPv6',
        table: 'V1 -> R1 masq 5; M1 -> R1 masq 5',
      },
      { what: 'the command fails', files: { R1: '' }, table: 'V1; M1' },
    ],
  },
  {
    name: 'checktype=external: a command that takes too long',
    families: ['ipv6'],
    site: site({ 'V1 -> R1 masq 5': { checktype: 'external', checkcommand: 'DIR/slow' } }, null),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5' },
      { what: 'the command does not end', files: { R1: '' }, table: 'V1' },
      { what: 'the command ends again', files: { R1: null }, table: 'V1 -> R1 masq 5' },
    ],
  },
  {
    name: 'checktype=external: a command that is killed, and none at all',
    site: site(
      {
        'V1 -> R1 masq 5': { checktype: 'external', checkcommand: 'DIR/killed' },
        'V2 -> R1 masq 5': { checktype: 'external', checkcommand: 'DIR/nothing' },
      },
      null,
    ),
    steps: [
      {
        what: 'both start',
        table: 'V1; V2',
        ldirectord: {
          because: 'ldirectord takes death by a signal for success',
          table: 'V1 -> R1 masq 5; V2',
        },
      },
    ],
  },
  {
    name: 'checktype=external: a command that goes',
    families: ['ipv6'],
    site: site({ 'V1 -> R1 masq 5': { checktype: 'external', checkcommand: 'DIR/going' } }, null),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5' },
      {
        what: 'the file of the command is removed',
        files: { going: null },
        table: 'V1 -> R1 masq 5',
        ldirectord: {
          because: 'ldirectord takes a command that cannot be run for a server that is down',
          table: 'V1',
        },
      },
    ],
  },
  {
    name: 'checktype=external-perl',
    site: site({ 'V1 -> R1 masq 5': { checktype: 'external-perl', checkcommand: 'DIR/command.pl' } }, null),
    steps: [
      { what: 'both start', table: 'V1 -> R1 masq 5' },
      { what: 'the script fails', files: { R1: '' }, table: 'V1' },
    ],
  },
]
