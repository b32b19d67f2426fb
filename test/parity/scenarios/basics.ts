/** Servers that come and go. */
import type { Scenario } from '../scenario.js'

export const basics: readonly Scenario[] = [
  {
    name: 'a server down and up, not quiescent',
    before: '',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=no
          real=R1:80 masq 5
          real=R2:80 masq 7
          service=http
          scheduler=wlc`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wlc
            R1:80 masq 5
            R2:80 masq 7`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wlc
            R2:80 masq 7`,
      },
      {
        what: 'R2 dies too',
        servers: { R2: 'down' },
        table: 'tcp V1:80 wlc',
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wlc
            R1:80 masq 5`,
      },
    ],
  },
  {
    name: 'a server down and up, quiescent',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=yes
          real=R1:80 masq 5
          real=R2:80 masq 7
          service=http
          scheduler=wlc`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wlc
            R1:80 masq 5
            R2:80 masq 7`,
      },
      {
        what: 'R1 answers 200 but says nothing in time',
        servers: { R1: 'silent' },
        table: `
          tcp V1:80 wlc
            R1:80 masq 0
            R2:80 masq 7`,
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wlc
            R1:80 masq 5
            R2:80 masq 7`,
      },
    ],
  },
  {
    name: 'a server that is dead at the start',
    before: '',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          service=http
          quiescent=no
      virtual=V2:80
          real=R1:80 gate 6
          service=http
          quiescent=yes`,
    steps: [
      {
        what: 'both start',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
          tcp V2:80 wrr
            R1:80 gate 0`,
      },
      {
        what: 'R1 comes',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
          tcp V2:80 wrr
            R1:80 gate 6`,
      },
    ],
  },
  {
    name: 'failurecount',
    serves: { kind: 'tcp', port: 80 },
    sections: `
      virtual=V1:80
          failurecount=3
          real=R1:80 masq
          checktype=connect`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 1`,
      },
      { what: 'R1 dies and fails three times', servers: { R1: 'down' }, table: 'tcp V1:80 wrr' },
      {
        what: 'R1 passes once',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 1`,
      },
    ],
  },
  {
    name: 'a server of several virtuals',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          failurecount=2
          real=R1:80 masq 3
          service=http
      virtual=V2:80
          failurecount=2
          real=R1:80 masq 3
          service=http
          quiescent=yes`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 3
          tcp V2:80 wrr
            R1:80 masq 3`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
          tcp V2:80 wrr
            R1:80 masq 0`,
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 3
          tcp V2:80 wrr
            R1:80 masq 3`,
      },
    ],
  },
  {
    name: 'real servers by name',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          real=r1-SLOT.lab:80 masq 5
          real=r2-SLOT.lab:http gate 6
          service=http`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
            R2:80 gate 6`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            R2:80 gate 6`,
      },
    ],
  },
  {
    name: 'a range of real servers',
    families: ['ipv4'],
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          real=10.1.SLOT.11->10.1.SLOT.13:80 masq 3
          service=http`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 3
            R2:80 masq 3
            R3:80 masq 3`,
      },
      {
        what: 'R2 dies',
        servers: { R2: 'down' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 3
            R3:80 masq 3`,
      },
    ],
  },
]
