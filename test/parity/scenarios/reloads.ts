/** Both get SIGHUP. */
import type { Scenario } from '../scenario.js'

const ONE_SERVER = `
  virtual=V1:80
      real=R1:80 masq 5
      service=http`

export const reloads: readonly Scenario[] = [
  {
    name: 'reload: weights, scheduler, servers',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=yes
          real=R1:80 masq 5
          real=R2:80 masq 6
          service=http
          scheduler=rr`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 rr
            R1:80 masq 5
            R2:80 masq 6`,
      },
      {
        what: 'another weight for R1, another scheduler, persistence',
        reload: `
            virtual=V1:80
                quiescent=yes
                real=R1:80 masq 50
                real=R2:80 masq 6
                service=http
                scheduler=wlc
                persistent=60`,
        table: `
          tcp V1:80 wlc persistent 60
            R1:80 masq 50
            R2:80 masq 6`,
      },
      {
        what: 'R3 instead of R2',
        reload: `
            virtual=V1:80
                quiescent=yes
                real=R1:80 masq 50
                real=R3:80 masq 7
                service=http
                scheduler=wlc`,
        table: `
          tcp V1:80 wlc
            R1:80 masq 50
            R3:80 masq 7`,
      },
      {
        what: 'R1 is drained, and R3 dies',
        servers: { R3: 'down' },
        reload: `
            virtual=V1:80
                quiescent=no
                real=R1:80 masq 0
                real=R3:80 masq 7
                service=http
                scheduler=wlc`,
        table: `
          tcp V1:80 wlc
            R1:80 masq 0`,
      },
    ],
  },
  {
    name: 'reload: virtuals',
    serves: { kind: 'http', port: 80 },
    sections: ONE_SERVER,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
      {
        what: 'V2 appears',
        reload: `
            virtual=V1:80
                quiescent=no
                real=R1:80 masq 5
                service=http
            virtual=V2:80
                quiescent=no
                real=R1:80 masq 8
                service=http`,
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
          tcp V2:80 wrr
            R1:80 masq 8`,
      },
      {
        what: 'V1 goes, and V2 forwards otherwise',
        reload: `
            virtual=V2:80
                quiescent=no
                real=R1:80 gate 8
                service=http`,
        table: `
          tcp V2:80 wrr
            R1:80 gate 8`,
      },
    ],
  },
  {
    name: 'reload: most servers go',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          real=R2:80 masq 5
          real=R3:80 masq 5
          service=http
      virtual=V2:80
          real=R1:80 masq 5
          real=R2:80 masq 5
          service=http`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
            R2:80 masq 5
            R3:80 masq 5
          tcp V2:80 wrr
            R1:80 masq 5
            R2:80 masq 5`,
      },
      {
        what: 'one server is left, by SIGHUP',
        reload: `
            virtual=V1:80
                real=R3:80 masq 5
                service=http`,
        table: `
          tcp V1:80 wrr
            R3:80 masq 5`,
      },
      {
        what: 'quiescent and a fallback appear while it is dead',
        servers: { R3: 'down' },
        reload: `
            virtual=V1:80
                real=R3:80 masq 5
                service=http
                quiescent=yes
                fallback=F:80 masq`,
        table: `
          tcp V1:80 wrr
            R3:80 masq 0
            F:80 masq 1`,
      },
      {
        what: 'they go again',
        reload: `
            virtual=V1:80
                real=R3:80 masq 5
                service=http`,
        table: 'tcp V1:80 wrr',
      },
    ],
  },
]

export const brokenReload: readonly Scenario[] = [
  {
    name: 'reload of a broken file',
    serves: { kind: 'http', port: 80 },
    sections: ONE_SERVER,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
      {
        what: 'the new file has an error: nothing changes',
        reload: `
            virtual=V1:80
                reel=R1:80 masq 6
                service=http`,
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: 'tcp V1:80 wrr',
        ldirectord: {
          because:
            'after a reload that failed no result of ldirectord has an effect: it has taken over half of the broken file',
          table: `
            tcp V1:80 wrr
              R1:80 masq 5`,
        },
      },
    ],
  },
]
