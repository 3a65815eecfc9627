import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const MAIN = join(import.meta.dirname, 'main.ts')

describe('palisade', () => {
  it('does not break when its reader has seen enough, and ends with its own code', async () => {
    const script = '"$0" "$1" audit --help | true; echo "${PIPESTATUS[0]}"'
    const ran = await promisify(execFile)('bash', ['-c', script, process.execPath, MAIN])
    expect(ran).toEqual({ stdout: '0\n', stderr: '' })
  })
})
