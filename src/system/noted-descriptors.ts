/**
 * The descriptors of a thread, noted in memory that it shares. Node closes none that was opened by a call of the C library, so
 * those of a thread that is terminated would stay open; another thread closes them when it has ended.
 *
 * A descriptor is noted after it is opened and forgotten before it is closed. A thread that ends in between leaves that one open;
 * none that has become somebody else's is ever noted.
 */

/** Descriptors with higher numbers are not noted. */
const MOST = 1 << 18

let noted: Uint8Array | null = null

/** Returns shared memory for one thread. Its unused pages take no memory. */
export function newDescriptorNotes(): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(MOST))
}

/** From now on this thread notes its descriptors there. */
export function noteDescriptorsIn(notes: Uint8Array): void {
  noted = notes
}

/** Takes what a call has returned that opens a descriptor, and returns it. */
export function opened(fd: number): number {
  if (noted !== null && fd >= 0) noted[fd] = 1
  return fd
}

/** To be called before a descriptor is closed. */
export function closing(fd: number): void {
  if (noted !== null && fd >= 0) noted[fd] = 0
}

/** Returns the descriptors that a thread has left open. It must have ended. */
export function leftOpen(notes: Uint8Array): readonly number[] {
  const left: number[] = []
  for (let fd = notes.indexOf(1); fd >= 0; fd = notes.indexOf(1, fd + 1)) left.push(fd)
  return left
}
