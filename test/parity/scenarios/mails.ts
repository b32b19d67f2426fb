/** Mails: their subjects, and when they are sent. */
import type { Scenario } from '../scenario.js'

/** Whether the first change comes while ldirectord still starts is a matter of time, and then it mails nothing. */
const MAY_START = { because: 'ldirectord may still be starting, and mails nothing then', told: null }

/** With `smtp`, `emailalertstatus=running,stopping` and `emailalertfrom` for all. */
export const mails: readonly Scenario[] = [
  {
    name: 'mails, not quiescent, with a fallback: subjects',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          service=http
          fallback=F:80 masq
          servicename=shop
          emailalert={six|four}@lab.example`,
    steps: [
      {
        what: 'both start, and mail nothing',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
        told: '',
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            F:80 masq 1`,
        told: `
          mail [shop] Deleted real server: R1:80 (V1:80)
          mail [shop] Added fallback server: F:80 (V1:80) (Weight set to 1)`,
        ldirectord: MAY_START,
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
        told: `
          mail [shop] Added real server: R1:80 (V1:80) (Weight set to 5)
          mail [shop] Deleted fallback server: F:80 (V1:80)`,
      },
      {
        what: 'R1 dies once more',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            F:80 masq 1`,
        told: `
          mail [shop] Deleted real server: R1:80 (V1:80)
          mail [shop] Added fallback server: F:80 (V1:80) (Weight set to 1)`,
      },
      { what: 'both get SIGTERM: no server is purged', stop: true, table: '', told: '' },
    ],
  },
  {
    name: 'mails, quiescent, and to those who want them at a stop alone: subjects',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          service=http
          quiescent=yes
          emailalert={six|four}q@lab.example
      virtual=V2:80
          real=R1:80 masq 7
          service=http
          emailalert={six|four}s@lab.example
          emailalertstatus=stopping`,
    steps: [
      {
        what: 'both start, and mail nothing',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
          tcp V2:80 wrr
            R1:80 masq 7`,
        told: '',
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 0
          tcp V2:80 wrr`,
        told: 'mail Quiescent real server: R1:80 (V1:80) (Weight set to 0)',
        ldirectord: MAY_START,
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
          tcp V2:80 wrr
            R1:80 masq 7`,
        told: 'mail Restored real server: R1:80 (V1:80) (Weight set to 5)',
      },
      {
        what: 'nothing happens',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5
          tcp V2:80 wrr
            R1:80 masq 7`,
        told: '',
      },
      {
        what: 'both get SIGTERM',
        stop: true,
        table: '',
        told: `
          mail Purged real server (stop): R1:80 (V1:80)
          mail Purged real server (stop): R1:80 (V2:80)`,
      },
    ],
  },
  {
    name: 'mails again and again, with emailalertfreq: subjects',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          service=http
          emailalert={six|four}f@lab.example
          emailalertfreq=4`,
    steps: [
      {
        what: 'both start, and mail nothing',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5`,
        told: '',
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: 'tcp V1:80 wrr',
        told: `
          mail Deleted real server: R1:80 (V1:80)
          mail Inaccessible real server: R1:80 (V1:80)`,
        ldirectord: MAY_START,
      },
      {
        what: 'R1 stays dead',
        table: 'tcp V1:80 wrr',
        told: 'mail Inaccessible real server: R1:80 (V1:80)',
      },
    ],
  },
]
