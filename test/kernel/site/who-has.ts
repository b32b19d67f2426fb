/** A program: prints the hardware addresses of all that answer for an address on an interface, those of this machine included. */
import { writeSync } from 'node:fs'
import { openLinkLayer } from '../../../src/netlink/link-layer.js'
import { openSocket } from '../../../src/netlink/socket.js'
import { askAddresses } from '../../../src/probe/ask-addresses.js'
import { exitNow } from '../../../src/system/libc.js'
import { systemClock } from '../../../src/util/clock.js'
import { address } from '../../support/tables.js'

const [, , name, text = ''] = process.argv
const linkLayer = openLinkLayer(openSocket(65_536, 'route'))
const link = linkLayer.links().find(one => one.name === name)
linkLayer.close()
if (!link) throw new Error(`there is no interface ${name}`)
const { answers } = await askAddresses({
  questions: [{ address: address(text), link: link.index }],
  links: new Map([[link.index, { ...link, source: null }]]),
  clock: systemClock,
})
writeSync(1, `${answers.map(({ hardware }) => hardware).join('\n')}\n`)
exitNow(0)
