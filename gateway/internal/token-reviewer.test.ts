import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as soon } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { TokenReviewer } from './token-reviewer.ts'

describe('TokenReviewer', () => {
  // A rejection that nobody waits for ends the process, and fails this run.
  it.each([[[]], [['token']], [['ca.crt']]])(
    'refuses and lives on while of its own files %j alone is there',
    async (present) => {
      const directory = await mkdtemp(join(tmpdir(), 'palisade-reviewer-'))
      for (const file of present) await writeFile(join(directory, file), 'x')
      const reviewer = new TokenReviewer(
        { url: 'https://127.0.0.1:1', directory },
        'palisade-gateway',
      )
      for (let i = 0; i < 2; i++) {
        await expect(reviewer.review('a token')).rejects.toMatchObject({
          code: 'ERR_CALLER_UNRECOGNISABLE',
        })
      }
      await reviewer.close()
      await soon()
      await rm(directory, { recursive: true })
    },
  )
})
