/** What ends up in the table besides who is up: weights, forwarding, thresholds, flags, persistence. */
import type { Scenario } from '../scenario.js'

export const tables: readonly Scenario[] = [
  {
    name: 'weights, forwarding and a server that is drained',
    serves: { kind: 'http', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=yes
          real=R1:80 gate 0
          real=R2:80 ipip 1000
          real=R3:80 masq
          service=http
          scheduler=wlc`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wlc
            R1:80 gate 0
            R2:80 ipip 1000
            R3:80 masq 1`,
      },
      {
        what: 'R1 and R2 die',
        servers: { R1: 'down', R2: 'down' },
        table: `
          tcp V1:80 wlc
            R1:80 gate 0
            R2:80 ipip 0
            R3:80 masq 1`,
      },
    ],
  },
  {
    name: 'firewall marks',
    serves: { kind: 'http', port: 8080 },
    sections: `
      virtual=M1
          quiescent=yes
          real=R1 gate 3
          service=http
          checkport=8080
          scheduler=rr
          persistent=60`,
    steps: [
      {
        what: 'both start',
        table: `
          fwmark M1 rr persistent 60
            R1:0 gate 3`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          fwmark M1 rr persistent 60
            R1:0 gate 0`,
      },
    ],
  },
  {
    name: 'thresholds',
    serves: { kind: 'tcp', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=no
          real=R1:80 masq 5 l:10 u:100
          real=R2:80 masq 5 u:7
          checktype=connect`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 masq 5 u:100 l:10
            R2:80 masq 5 u:7 l:0`,
      },
      {
        what: 'R1 dies',
        servers: { R1: 'down' },
        table: `
          tcp V1:80 wrr
            R2:80 masq 5 u:7 l:0`,
      },
      {
        what: 'R1 is back',
        servers: { R1: 'up' },
        table: `
          tcp V1:80 wrr
            R1:80 masq 5 u:100 l:10
            R2:80 masq 5 u:7 l:0`,
      },
    ],
  },
  {
    name: 'thresholds, quiescent',
    before: '',
    serves: { kind: 'tcp', port: 80 },
    sections: `
      virtual=V1:80
          quiescent=yes
          real=R1:80 masq 5 l:10 u:100
          checktype=connect`,
    steps: [
      {
        what: 'R1 dies before both start',
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
            R1:80 masq 5 u:100 l:10`,
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
  {
    name: 'flags of the scheduler',
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          checktype=on
          scheduler=sh
          schedflags=sh-fallback,sh-port
      virtual=V2:80
          real=R1:80 masq 5
          checktype=on
          scheduler=mh
          schedflags=mh-port`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 sh flag-1 flag-2
            R1:80 masq 5
          tcp V2:80 mh flag-2
            R1:80 masq 5`,
      },
    ],
  },
  {
    name: 'persistence, with and without a netmask',
    sections: `
      virtual=V1:80
          real=R1:80 masq 5
          checktype=on
          persistent=600
      virtual=V2:443
          real=R1:443 masq 5
          checktype=on
          persistent=300
          netmask={64|255.255.255.0}`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr persistent 600
            R1:80 masq 5
          tcp V2:443 wrr persistent 300/{64|24}
            R1:443 masq 5`,
      },
    ],
  },
  {
    name: 'one packet scheduling',
    sections: `
      virtual=V1:5353
          real=R1:5353 masq
          checktype=on
          protocol=udp
          ops=yes
      virtual=V2:80
          real=R1:80 masq
          checktype=on
          ops=yes`,
    steps: [
      {
        what: 'both start: it counts for udp alone',
        table: `
          udp V1:5353 wrr ops
            R1:5353 masq 1
          tcp V2:80 wrr
            R1:80 masq 1`,
      },
    ],
  },
  {
    name: 'direct routing to another port, not quiescent',
    before: '',
    serves: { kind: 'http', port: 8080 },
    sections: `
      virtual=V1:80
          quiescent=no
          real=R1:8080 gate 5
          service=http`,
    steps: [
      {
        what: 'both start: the kernel uses the port of the virtual',
        table: `
          tcp V1:80 wrr
            R1:80 gate 5`,
      },
      { what: 'R1 dies', servers: { R1: 'down' }, table: 'tcp V1:80 wrr' },
    ],
  },
  {
    name: 'direct routing to another port, quiescent',
    before: '',
    serves: { kind: 'http', port: 8080 },
    sections: `
      virtual=V1:80
          quiescent=yes
          real=R1:8080 gate 5
          service=http`,
    steps: [
      {
        what: 'both start',
        table: `
          tcp V1:80 wrr
            R1:80 gate 5`,
        ldirectord: {
          because:
            'ldirectord sets the server to weight 0 at its start and never finds it again, for the kernel has it at another port',
          table: `
            tcp V1:80 wrr
              R1:80 gate 0`,
        },
      },
    ],
  },
]
