/**
 * Loaded into a director (`--import`): writes how much processor time its main thread takes for each turn of its event loop. It runs
 * nothing between turns, and wakes nobody up: libuv calls it once a turn, after it has polled.
 */
import { openSync, writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import koffi from 'koffi'

/** Variable with the file to which turns are written. */
export const TURNS = 'LVSD_BENCH_TURNS'

/** Milliseconds: a turn that takes less is not written. */
const LEAST = 2
/** <linux/time.h>: CLOCK_THREAD_CPUTIME_ID, without the threads that compile and collect garbage beside. */
const OF_THREAD = 3
/** More than sizeof(uv_check_t), 120 in libuv 1. */
const HANDLE = 512

const file = process.env[TURNS]
if (file !== undefined && isMainThread) watch(openSync(file, 'a'))

function watch(fd: number): void {
  const lib = koffi.load(null)
  const time = new BigInt64Array(2)
  const clock = lib.func('int clock_gettime(int clock, _Out_ int64_t *time)')
  const threadMs = () => {
    clock(OF_THREAD, time)
    return Number(time[0]) * 1000 + Number(time[1]) / 1e6
  }
  let before = threadMs()
  const look = () => {
    const now = threadMs()
    // The clock of `now` in farm.ts, at the end of the turn.
    if (now - before >= LEAST)
      writeSync(fd, `${Number(process.hrtime.bigint()) / 1e6} ${(now - before).toFixed(3)}\n`)
    before = now
  }
  const called = koffi.register(look, koffi.pointer(koffi.proto('void LvsdTurn(void *handle)')))
  const handle = koffi.alloc('uint8_t', HANDLE)
  const loop = lib.func('void *uv_default_loop()')()
  lib.func('int uv_check_init(void *loop, void *handle)')(loop, handle)
  lib.func('int uv_check_start(void *handle, void *called)')(handle, called)
  lib.func('void uv_unref(void *handle)')(handle)
}
