/** An application server, with IPv4 alone, as a process: `node application.js NAME`. It answers each request with its name. */
import { createServer } from 'node:http'

const name = process.argv[2] ?? ''
createServer((_, response) => response.end(`${name}\n`)).listen(8080, '0.0.0.0')
