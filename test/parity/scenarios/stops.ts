/** Both get SIGTERM. */
import type { Scenario } from '../scenario.js'

export const stops: readonly Scenario[] = [
  {
    name: 'a table that is there already',
    serves: { kind: 'http', port: 80 },
    before: `
      -A -t V1:80 -s rr
      -a -t V1:80 -r R1:80 -m -w 3
      -a -t V1:80 -r R2:80 -m -w 0
      -a -t V1:80 -r R3:80 -m -w 9
      -A -t V3:80 -s rr
      -a -t V3:80 -r R3:80 -m -w 1`,
    sections: `
      virtual=V1:80
          quiescent=yes
          real=R1:80 masq 5
          real=R2:80 masq 7
          service=http
          scheduler=wlc`,
    steps: [
      {
        what: 'both start: what is theirs is put right, what is not stays',
        table: `
          tcp V1:80 wlc
            R1:80 masq 5
            R2:80 masq 7
          tcp V3:80 rr
            R3:80 masq 1`,
      },
      {
        what: 'both get SIGTERM',
        stop: true,
        table: `
          tcp V3:80 rr
            R3:80 masq 1`,
      },
    ],
  },
  {
    name: 'stop without cleanstop',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=yes
          cleanstop=no
          real=R1:80 masq 5
          real=R2:80 masq 6
          service=http
      virtual=V2:80
          quiescent=yes
          cleanstop=no
          real=R1:80 masq 5
          service=http
          cleanstop=yes`,
    steps: [
      {
        what: 'both start, while R2 is dead',
        servers: { R2: 'down' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
            R2:80 masq 0
          tcp V2:80 wrr
            R1:80 masq 5`,
      },
      {
        what: 'both get SIGTERM: V2 alone is cleaned up',
        stop: true,
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
            R2:80 masq 0`,
      },
    ],
  },
  {
    name: 'stop with cleanstop, the default',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          service=http
      virtual=V2:80
          real=R1:80 masq 5
          service=http
          cleanstop=no`,
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
        what: 'both get SIGTERM: V2 alone stays',
        stop: true,
        table: `
          tcp V2:80 wrr
            R1:80 masq 5`,
      },
    ],
  },
]
