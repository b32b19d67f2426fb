/** A thread for the connections of all clients of a test file: with the loader of the tests, each takes seconds. */
import type { OpenConnection } from '../../src/cluster/redis/client.js'
import { ConnectionsApart } from '../../src/cluster/redis/connections-apart.js'

const apart = new ConnectionsApart()

export const openApart: OpenConnection = apart.open

// Its start is no part of the time limit of a connection.
before(async function () {
  this.timeout(60_000)
  await apart.ready()
})
