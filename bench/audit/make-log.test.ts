import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseVerifier } from '#core/audit/note'
import { verifyChecked } from '#core/audit/verify'
import { checkFile } from '../../cli/audit-blocks.ts'
import { makeLog } from './make-log.ts'

it('makes a log that holds, with a signature for each batch and a MAC in each record', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'palisade-make-log-'))
  try {
    const path = join(folder, 'log')
    const { verifier, checkpoint, macKey } = await makeLog(path, 25, 10)
    const evidence = {
      verifiers: [parseVerifier(verifier)],
      checkpoints: [checkpoint],
      witness: [],
      macKeys: new Map([[macKey.id, macKey.secret]]),
    }
    const file = await open(path)
    const result = verifyChecked(await checkFile(file, evidence), evidence)
    await file.close()
    expect(result).toMatchObject({ ok: true, counts: { records: 25, sealed: 25, batches: 3 } })
    expect(result.proves.join()).toMatch(/3 batches were signed.*25 records carry the MAC/)
  } finally {
    await rm(folder, { recursive: true })
  }
})
