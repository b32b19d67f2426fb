/** The values of checktype. */
import type { Scenario } from '../scenario.js'

const PING_OVER_IPV6 = "ldirectord's ping knows IPv4 alone: over IPv6 every server is down"

/** The commands of the external checks. A server is up while there is no file of its address. */
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
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          fallback=F:80 masq
          checktype=on`,
    serves: { kind: 'tcp', port: 80 },
    steps: [
      {
        what: 'both start, while R1 is dead',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
    ],
  },
  {
    name: 'checktype=off',
    before: '',
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          fallback=F:80 masq
          quiescent=no
          checktype=off
      virtual=V2:80
          real=R1:80 masq 5
          quiescent=yes
          checktype=off`,
    serves: { kind: 'tcp', port: 80 },
    steps: [
      {
        what: 'both start: the fallback is in',
        table: `
          tcp V1:80 wrr
            F:80 masq 1
          tcp V2:80 wrr
            R1:80 masq 0`,
      },
    ],
  },
  {
    name: 'checktype=connect, to another port',
    serves: { kind: 'tcp', port: 8080 },
    sections: `
      virtual=V1:80
          real=R1:80 gate 5
          checktype=connect
          checkport=8080`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 gate 5`,
      },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'tcp V1:80 wrr' },
      {
        what: 'R1 accepts and says nothing',
        servers: { R1: 'silent' },
        table: `
          tcp V1:80 wrr
            R1:80 gate 5`,
      },
    ],
  },
  {
    name: 'checktype=negotiate without a service',
    serves: { kind: 'tcp', port: 8000 },
    sections: `
      virtual=V1:8000
          real=R1:8000 masq 5
      virtual=M1
          real=R1:8000 masq 5`,
    steps: [
      {
        what: 'both start, while R1 is dead: nothing is asked',
        servers: { R1: 'down' },
        table: `
          tcp V1:8000 wrr
            R1:8000 masq 5
          fwmark M1 wrr
            R1:8000 masq 5`,
      },
    ],
  },
  {
    name: 'checktype=3: one negotiation, three connects',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          service=http
          receive="is ok"
          checktype=3`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
      { what: 'R1 answers wrong', servers: { R1: 'wrong' }, table: 'tcp V1:80 wrr' },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'tcp V1:80 wrr' },
    ],
  },
]

/** Those that hold ldirectord up. */
export const slowCheckTypes: readonly Scenario[] = [
  {
    name: 'checktype=ping',
    sections: `
      virtual=V1:80
          checktimeout=1
          real=R1:80 masq 5
          checktype=ping`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
        ldirectord: { because: PING_OVER_IPV6, families: ['ipv6'], table: 'tcp V1:80 wrr' },
      },
      { what: 'R1 is switched off', servers: { R1: 'down' }, table: 'tcp V1:80 wrr' },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
        ldirectord: { because: PING_OVER_IPV6, families: ['ipv6'], table: 'tcp V1:80 wrr' },
      },
    ],
  },
  {
    name: 'checktype=ping, checkcount=2',
    families: ['ipv4'],
    sections: `
      virtual=V1:80
          checktimeout=1
          checkcount=2
          real=R1:80 masq 5
          checktype=ping`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
      { what: 'R1 is switched off', servers: { R1: 'down' }, table: 'tcp V1:80 wrr' },
    ],
  },
  {
    name: 'checktype=connect of a udp service is a ping',
    sections: `
      virtual=V1:5000
          checktimeout=1
          real=R1:5000 masq 5
          protocol=udp
          checktype=connect`,
    steps: [
      {
        what: 'both start',
        table: `
          udp V1:5000 wrr
            R1:5000 masq 5`,
        ldirectord: { because: PING_OVER_IPV6, families: ['ipv6'], table: 'udp V1:5000 wrr' },
      },
      { what: 'R1 is switched off', servers: { R1: 'down' }, table: 'udp V1:5000 wrr' },
    ],
  },
  {
    name: 'checktype=external',
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          checktype=external
          checkcommand=DIR/command
      virtual=M1
          real=R1:80 masq 5
          checktype=external
          checkcommand=DIR/command`,
    steps: [
      {
        what: 'both start: the command gets the address in brackets where it is IPv6',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
          fwmark M1 wrr
            R1:80 masq 5`,
      },
      {
        what: 'the command fails',
        files: { R1: '' },
        table: `
          tcp V1:80 wrr
          fwmark M1 wrr`,
      },
    ],
  },
  {
    name: 'checktype=external: a command that takes too long',
    families: ['ipv6'],
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          checktype=external
          checkcommand=DIR/slow`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
      { what: 'the command does not end', files: { R1: '' }, table: 'tcp V1:80 wrr' },
      {
        what: 'the command ends again',
        files: { R1: null },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
    ],
  },
  {
    name: 'checktype=external: a command that is killed, and none at all',
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          checktype=external
          checkcommand=DIR/killed
      virtual=V2:80
          real=R1:80 masq 5
          checktype=external
          checkcommand=DIR/nothing`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
          tcp V2:80 wrr`,
        ldirectord: {
          because: 'ldirectord takes death by a signal for success',
          table: `
            tcp V1:80 wrr
              R1:80 masq 5
            tcp V2:80 wrr`,
        },
      },
    ],
  },
  {
    name: 'checktype=external: a command that goes',
    families: ['ipv6'],
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          checktype=external
          checkcommand=DIR/going`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
      {
        what: 'the file of the command is removed',
        files: { going: null },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
        ldirectord: {
          because: 'ldirectord takes a command that cannot be run for a server that is down',
          table: 'tcp V1:80 wrr',
        },
      },
    ],
  },
  {
    name: 'checktype=external-perl',
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          checktype=external-perl
          checkcommand=DIR/command.pl`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
      { what: 'the script fails', files: { R1: '' }, table: 'tcp V1:80 wrr' },
    ],
  },
]
