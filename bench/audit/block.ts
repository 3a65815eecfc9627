const never = new Int32Array(new SharedArrayBuffer(4))

/** Holds up the whole thread, to a fraction of a millisecond; timers of the event loop know whole ones. */
export const block = (ms: number): void => void Atomics.wait(never, 0, 0, ms)
