/** Fallback servers. */
import type { Scenario } from '../scenario.js'

export const fallbacks: readonly Scenario[] = [
  {
    name: 'the fallback of a virtual, in and out',
    before: '',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=no
          real=R1:80 masq 5
          service=http
          fallback=F:80 masq`,
    steps: [
      {
        what: 'both start while R1 is dead',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            F:80 masq 1`,
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
            F:80 masq 1`,
      },
    ],
  },
  {
    name: 'a firewall mark with a fallback of its own',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=M1
          quiescent=no
          real=R1:80 gate 2
          service=http
          fallback=F:80 gate`,
    steps: [
      {
        what: 'both start',
        table: `
          fwmark M1 wrr
            R1:80 gate 2`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          fwmark M1 wrr
            F:80 gate 1`,
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          fwmark M1 wrr
            R1:80 gate 2`,
      },
    ],
  },
  {
    name: 'servers of weight 0 that are up keep the fallback out',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=yes
          real=R1:80 masq 0
          real=R2:80 masq 0
          service=http
          fallback=F:80 masq`,
    before: '',
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 0
            R2:80 masq 0`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 0
            R2:80 masq 0`,
      },
      {
        what: 'R2 dies too',
        servers: { R2: 'down' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 0
            R2:80 masq 0
            F:80 masq 1`,
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 0
            R2:80 masq 0`,
      },
    ],
  },
]
