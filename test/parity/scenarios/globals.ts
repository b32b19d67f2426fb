/** Directives of the whole file: a fallback for all, maintenance, readdquiescent. */
import type { Scenario } from '../scenario.js'

/** With `fallback=G:80 masq` for all, and a maintenancedir. */
export const withGlobals: readonly Scenario[] = [
  {
    name: 'the global fallback, and one of a virtual before it, quiescent',
    serves: { kind: 'tcp', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=yes
          real=R1:80 masq 5
          checktype=connect
      virtual=V2:80
          quiescent=yes
          real=R1:80 masq 5
          checktype=connect
          fallback={[::1]|127.0.0.1}:80 gate`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
          tcp V2:80 wrr
            R1:80 masq 5`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 0
            G:80 masq 1
          tcp V2:80 wrr
            R1:80 masq 0
            {[::1]|127.0.0.1}:80 gate 1`,
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
          tcp V2:80 wrr
            R1:80 masq 5`,
      },
    ],
  },
  {
    name: 'a firewall mark and the global fallback',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=M1
          quiescent=no
          real=R1:80 masq
          service=http`,
    steps: [
      {
        what: 'both start',
        table: `
          fwmark M1 wrr
            R1:80 masq 1`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          fwmark M1 wrr
            G:80 masq 1`,
        ldirectord: {
          because:
            'ldirectord hands ipvsadm an empty address where the global fallback is that of a firewall mark',
          table: 'fwmark M1 wrr',
        },
      },
    ],
  },
  {
    name: 'maintenance files',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=yes
          real=R1:80 masq 5
          real=R2:80 masq 6
          service=http`,
    steps: [
      {
        what: 'both start; R2 has a file with its port',
        files: { 'maintenance/R2:80': 'by night' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
            R2:80 masq 0`,
      },
      {
        what: 'R1 gets a file of its address, and that of R2 goes',
        files: { 'maintenance/{[fd00:1:SLOT::11]|10.1.SLOT.11}': '', 'maintenance/R2:80': null },
        table: `
          tcp V1:80 wrr
            R1:80 masq 0
            R2:80 masq 6`,
      },
      {
        what: 'R1 is back, and R2 has a file of its name',
        files: {
          'maintenance/{[fd00:1:SLOT::11]|10.1.SLOT.11}': null,
          'maintenance/r2-SLOT.lab': '',
        },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
            R2:80 masq 0`,
      },
      {
        what: 'R1 has a file of its short name and its port, R2 none',
        files: { 'maintenance/r2-SLOT.lab': null, 'maintenance/r1-SLOT:80': '' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 0
            R2:80 masq 6`,
      },
    ],
  },
]

export const readdquiescent: readonly Scenario[] = [
  {
    name: 'readdquiescent',
    before: '',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=yes
          real=R1:80 masq 5
          service=http`,
    steps: [
      {
        what: 'both start while R1 is dead',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 0`,
      },
      {
        what: 'R1 comes',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 0`,
      },
    ],
  },
]
