/** A thread that takes numbers of a turn of local ports which it shares. */
import { parentPort, workerData } from 'node:worker_threads'
import { ownPortTurns, portTurn, sharePortTurns } from '../../../../src/probe/engine/port-turns.js'

sharePortTurns(workerData.turns)
const turn = portTurn(ownPortTurns(), workerData.key)
parentPort?.postMessage(Array.from({ length: workerData.count }, () => turn(0)))
