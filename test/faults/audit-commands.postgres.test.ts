import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAC_KEY } from '../support/store-wishes.ts'
import { EDIT, SEALED, TamperedLog, TENANTS } from '../support/tampered-log.ts'

let log: TamperedLog
beforeAll(async () => {
  log = await TamperedLog.start()
})
afterAll(() => log?.stop())

describe('palisade audit', () => {
  const run = promisify(execFile)
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const cli = async (args: string[], env: Record<string, string> = {}) => {
    const main = join(import.meta.dirname, '../../cli/main.ts')
    try {
      const { stdout } = await run(process.execPath, [main, 'audit', ...args], {
        env: { PATH, NODE_COMPILE_CACHE, ...env },
      })
      return { code: 0, stdout, stderr: '' }
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
      return { code, stdout, stderr }
    }
  }
  const url = (database: string, config = log.db.auditor) =>
    `postgres://${config.user}:${String(config.password)}@${log.db.host}:${log.db.port}/${database}`

  it('verifies an export offline with 0, and a broken one with 3 and the name of the break', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-audit-'))
    const at = (name: string) => join(folder, name)
    try {
      await writeFile(at('checkpoint'), log.checkpoints.at(-1) ?? '')
      await writeFile(
        at('gateway.log'),
        log.rows
          .map((r) => JSON.stringify({ audit: r.id, leaf: Buffer.from(r.leaf).toString('hex') }))
          .join('\n'),
      )
      const key = Buffer.from(MAC_KEY.secret).toString('base64url')
      await writeFile(
        at('mac-keys'),
        JSON.stringify({ keys: JSON.stringify([{ id: MAC_KEY.id, key }]) }),
      )
      const options = [
        ...['--key', log.key.text, '--checkpoint', at('checkpoint')],
        ...['--witness', at('gateway.log'), '--mac-keys', at('mac-keys')],
      ]
      const broken = await log.tampered([EDIT, log.id(7)])
      const verified = async (database: string, file: string) => {
        const exported = await cli(['export', file], { PALISADE_DATABASE_URL: url(database) })
        expect(exported.code, exported.stderr).toBe(0)
        return cli(['verify', file, ...options])
      }
      const [good, bad] = await Promise.all([
        verified('palisade', at('good')),
        verified(broken, at('broken')),
      ])
      expect(good.stderr).toBe('')
      expect(good).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^The audit log holds\./),
      })
      expect(bad).toMatchObject({ code: 3, stdout: expect.stringContaining('RecordEdited at 1/8') })
      // Nothing that is only for the house goes out: an export holds no key.
      expect(await readFile(at('good'), 'utf8')).not.toContain(key)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('proves a record, a tenant and the history to whoever has the key alone, and nothing after a change', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-audit-'))
    const at = (name: string) => join(folder, name)
    const key = ['--key', log.key.text]
    try {
      await cli(['export', at('log')], { PALISADE_DATABASE_URL: url('palisade') })
      await writeFile(at('first'), log.checkpoints[0] ?? '')
      const wishes = [
        ['--record', log.id(7)],
        ['--tenant', TENANTS[1] ?? ''],
        ['--since', at('first')],
      ]
      const expectProof = async (wish: string[], i: number) => {
        const proof = await cli(['prove', at('log'), ...wish])
        expect(proof.stderr).toBe('')
        const changed = proof.stdout.replace(/"(record|older)":".../, '"$1":"AAA')
        await writeFile(at(`proof-${i}`), proof.stdout)
        await writeFile(at(`changed-${i}`), changed)
        const [whole, broken] = await Promise.all([
          cli(['check', at(`proof-${i}`), ...key]),
          cli(['check', at(`changed-${i}`), ...key]),
        ])
        expect(whole).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(/^The proof holds/),
        })
        expect(broken.code, wish[0]).not.toBe(0)
      }
      await Promise.all(wishes.map(expectProof))
      expect(await cli(['prove', at('log'), '--record', log.id(SEALED)])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^ERR_AUDIT_NO_PROOF.*not sealed yet/),
      })
      await writeFile(at('proof'), '{"type":"palisade-audit-records"}')
      expect(await cli(['check', at('proof'), ...key])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^ERR_CONFIG_INVALID.*proof.*palisade audit prove/),
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('verifies a database directly, and refuses a login that would see an empty log', async () => {
    const direct = await cli(['verify', '--database', '--json'], {
      PALISADE_DATABASE_URL: url('palisade'),
    })
    expect(JSON.parse(direct.stdout)).toMatchObject({ ok: true, counts: { sealed: SEALED } })
    const blind = await cli(['verify', '--database'], {
      PALISADE_DATABASE_URL: url('palisade', log.db.app),
    })
    expect(blind).toMatchObject({ code: 1, stderr: expect.stringContaining('palisade_auditor') })
  })

  it('says without a verb, and with a wish for help, how it is called', async () => {
    const calls = [[], ['--help'], ['verify', 'x', '--help']]
    for (const said of await Promise.all(calls.map((args) => cli(args)))) {
      expect(said).toMatchObject({
        ...{ code: 0, stderr: '' },
        stdout: expect.stringContaining('palisade audit verify <file>'),
      })
    }
  })

  it.concurrent.each([
    [['verify']],
    [['verify', 'a', 'b']],
    [['verify', '--nonsense', 'x']],
    [['prove', 'x']],
    [['prove', 'x', '--record', 'a', '--tenant', 'b']],
    [['check', 'x']],
    [['burn']],
  ])('answers %j with exit code 2 and how to call it', async (args) => {
    expect(await cli(args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^ERR_USAGE.*call it as: palisade audit/),
    })
  })
})
