/** Sets how the C library trades memory for time. */
import { openNumericLibrary } from './libc.js'

/** <malloc.h> of glibc. */
const M_TRIM_THRESHOLD = -1
/** Bytes: the default, which glibc raises by itself to as much as 64 MiB. */
const SPARE = 128 * 1024

/**
 * Makes the C library return free memory at the end of each of its heaps to the kernel, for the rest of the process. V8's threads
 * compile with memory of one such heap each, which they would keep: 5 MB.
 */
export function keepMallocSmall(): void {
  try {
    openNumericLibrary().func('int mallopt(int, int)')(M_TRIM_THRESHOLD, SPARE)
  } catch {
    // musl has no such function, and returns free memory by itself.
  }
}
