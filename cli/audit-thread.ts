import { parentPort, workerData } from 'node:worker_threads'
import type { LineEvidence } from '#core/audit/checked-log'
import { readBlock } from '#core/audit/read-block'

/** One thread of a verification: a block of lines in, what is left of them out. */
const evidence = workerData as LineEvidence

parentPort?.on('message', ({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>) =>
  parentPort?.postMessage(readBlock(Buffer.from(buffer, byteOffset, byteLength), evidence)),
)
