import type { FileHandle } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { CheckedLog, LineEvidence } from '#core/audit/checked-log'
import { joinBlocks, readBlock, type CheckedBlock } from '#core/audit/read-block'
import { BlockThreads } from './audit-threads.ts'
import { LONGEST_LINE } from './line-splitter.ts'

/** Large enough that a block is worth its way to another thread, small enough that a few of them are no memory. */
const BLOCK_BYTES = 4 * 1024 * 1024
const NEWLINE = 10

/**
 * Checks an export line by line on every core, in blocks of whole lines, as it is read: what is in memory of the file
 * are a few blocks for each thread. An export of one block starts no thread.
 * @throws SyntaxError that names the first line that cannot be read
 */
export async function checkFile(
  file: FileHandle,
  evidence: LineEvidence,
  { threads = availableParallelism(), blockBytes = BLOCK_BYTES } = {},
): Promise<CheckedLog> {
  const answers: Promise<CheckedBlock>[] = []
  const pool = new BlockThreads(evidence, threads)
  try {
    for await (const { bytes, isLast } of wholeLines(file, blockBytes)) {
      if (isLast && answers.length === 0) return joinBlocks([readBlock(bytes, evidence)])
      answers.push((await pool.check(bytes)).answer)
    }
    return joinBlocks(await Promise.all(answers))
  } finally {
    await pool.close()
  }
}

interface Lines {
  readonly bytes: Buffer<ArrayBuffer>
  readonly isLast: boolean
}

/** A file in order, cut behind the last newline of each part. */
async function* wholeLines(file: FileHandle, blockBytes: number): AsyncGenerator<Lines> {
  let rest = Buffer.alloc(0)
  for (let isLast = false; !isLast;) {
    if (rest.length > LONGEST_LINE)
      throw new SyntaxError('a line is longer than any exporter writes')
    // Not from the pool of small buffers: it goes to a thread with everything that lies in it.
    const buffer = Buffer.allocUnsafeSlow(rest.length + blockBytes)
    let filled = rest.copy(buffer)
    for (let count = -1; count !== 0 && filled < buffer.length; filled += count) {
      count = (await file.read(buffer, filled, buffer.length - filled, null)).bytesRead
    }
    isLast = filled < buffer.length
    const end = isLast ? filled : buffer.lastIndexOf(NEWLINE, filled - 1) + 1
    rest = Buffer.from(buffer.subarray(end, filled))
    if (end > 0) yield { bytes: buffer.subarray(0, end), isLast }
  }
}
