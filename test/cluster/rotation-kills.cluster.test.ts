import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ALONG_THE_WAY, RECORDS } from '../support/crash-places.ts'
import { psql, tryLogin } from '../support/database.ts'
import { type Followed, followLog } from '../support/followed-log.ts'
import { giveLease, ownOperator, ownOperatorLeads, takeLease } from '../support/operator-lease.ts'
import { KILLED, OperatorPod, removeOperatorPods } from '../support/operator-pod.ts'
import { keepRetired } from '../support/retired-values.ts'
import { RotatingTeam } from '../support/rotating-team.ts'
import { type FollowedLog, followServerLog } from '../support/server-log.ts'
import { closeTeam, leftOf } from '../support/team-ground.ts'
import { openVault, type Vault } from '../support/vault.ts'

const TEAM = 'kills'
const MINUTE = 60_000
/** The platform rotates credentials of its own meanwhile, which nobody disturbs. */
const at = (place: string) => `${TEAM}/orders:${place}`

let vault: Vault
let team: RotatingTeam
let killed: OperatorPod
let stopped: OperatorPod | undefined
/** What the database and the secret store refused, in their own words. */
let refusedByDatabase: FollowedLog
let refusedByStore: Followed<string>
let isClosed = false

beforeAll(async () => {
  vault = await openVault()
  const kills = ALONG_THE_WAY.map((place) => at(`${place}:kill`))
  ;[team, killed, refusedByDatabase, refusedByStore] = await Promise.all([
    RotatingTeam.open(TEAM, vault),
    OperatorPod.start('killed-operator', [...kills, at('setVerifier.before:stop')]),
    followServerLog(({ message }) => message.startsWith(`the fence of role "${TEAM}_`)),
    followLog(['-n', 'palisade-vault', 'openbao-0'], refusedWrite),
  ])
  await Promise.all([team.employ(), takeLease(killed.name)])
})
afterAll(async () => {
  for (const log of [killed, stopped, refusedByDatabase, refusedByStore]) log?.stop()
  await removeOperatorPods()
  await ownOperatorLeads()
  if (!isClosed) await closeTeam(TEAM)
  await vault?.close()
})

/** Of a line of the store's audit: why it refused a value of the team. */
function refusedWrite(line: string): string | undefined {
  if (!line.includes(`"path":"apps/data/${TEAM}/`)) return undefined
  const { type, error } = JSON.parse(line) as { type: string; error?: string }
  return type === 'response' ? error : undefined
}

/** Functions of the database that a fence kept from doing anything. */
const refusedCalls = () =>
  refusedByDatabase
    .records()
    .map(
      ({ context = '' }) => /palisade_fence\.(\w+)\([^)]*\) line \d+ at PERFORM/.exec(context)?.[1],
    )

/** The credential as it stands, which is searched for once it is retired. */
async function current() {
  const credential = await team.credential()
  const { username, password } = credential
  await keepRetired({ name: `Secret ${TEAM}/orders-db retired, of ${username}`, text: password })
  return credential
}

const login = async ({ username, password, dbname }: Awaited<ReturnType<typeof current>>) =>
  tryLogin(username, password, dbname)

/** The steps of a rotation in the audit log, each as often as it stands there. */
async function told(rotation: string): Promise<readonly (string | undefined)[]> {
  const rows = await psql(`select record->>'eventType'
    from (select convert_from(record, 'utf8')::jsonb record from palisade.secret_audit_logs) log
    where record->'details'->>'entryRotation' = '${rotation}'`)
  return rows.map(([type]) => type).sort()
}

describe('an operator that is killed at every place of a rotation, one after the other', () => {
  it('completes it once, and every trace of it is there once', async () => {
    const [before, old] = [await team.world(), await current()]
    const token = await team.askToRotate()
    await killed.untilReached(ALONG_THE_WAY.length, 9 * MINUTE)
    await team.untilRotated(token)
    expect(killed.reached).toEqual(ALONG_THE_WAY.map((place) => `${place}: kill`))
    expect([...new Set(killed.ended)]).toEqual([KILLED])

    const [after, fresh] = [await team.world(), await current()]
    const version = Number(before.status.version) + 1
    expect(after).toMatchObject({
      status: { version, user: fresh.username, step: 'Idle', ready: 'True UpToDate' },
      ...{ seq: before.seq + RECORDS.length, inFlight: false },
      ...{ stored: before.stored + 1, kept: [before.stored + 1] },
      revision: before.revision + 1,
    })
    expect(fresh.username).not.toBe(old.username)
    expect(await login(fresh)).toBe('accepted')
    expect(await login(old)).toMatch(/^28/)
    for (const [user, , mayLogin, verifier] of after.users) {
      const isCurrent = user === fresh.username
      expect([mayLogin === 't', verifier !== 'none']).toEqual([isCurrent, isCurrent])
    }
    // Who comes after one that died behind its effect tries it once more, and the fence lets nobody through twice.
    // More often than once, where his own pass came to nothing: the numbers above tell that it changed nothing.
    const refused = [...new Set(refusedCalls())]
    expect(refused).toEqual(['set_verifier', 'disable_login', 'destroy_verifier'])

    const { current: issued } = await team.record()
    const steps = ['begin', 'complete', 'destroy', 'disable', 'publish', 'restart']
    await expect
      .poll(() => told(issued?.rotationId ?? ''))
      .toEqual(steps.map((step) => `rotation.${step}`))
  })
})

describe('leaders that were stopped before an effect and come back two rotations later', () => {
  it('are refused by the database and by the secret store, and change nothing', async () => {
    const token = await team.askToRotate()
    await killed.untilReached(ALONG_THE_WAY.length + 1, MINUTE)
    await giveLease('stopped-operator')
    stopped = await OperatorPod.start('stopped-operator', [at('publishValue.before:stop')])
    await stopped.untilReached(1, MINUTE)
    // The platform's own replica makes the rest of this rotation and the next.
    await giveLease(await ownOperator())
    await team.untilRotated(token)
    await current()
    await team.untilRotated(await team.askToRotate())

    const [newer, fresh] = [await team.world(), await current()]
    const [calls, writes] = [refusedCalls().length, refusedByStore.records().length]
    const sinceThen = () => [...new Set(refusedCalls().slice(calls))]
    const storeRefused = () => refusedByStore.records().length - writes
    await Promise.all([killed.resume(), stopped.resume()])
    await expect.poll(sinceThen, { timeout: MINUTE }).toEqual(['set_verifier'])
    await expect.poll(storeRefused, { timeout: MINUTE }).toBeGreaterThan(0)
    await removeOperatorPods()
    expect(await team.world()).toEqual(newer)
    expect(await login(fresh)).toBe('accepted')
  })
})

describe('a team that is taken away', () => {
  it('leaves neither users nor objects nor a value', async () => {
    await closeTeam(TEAM)
    isClosed = true
    expect(await leftOf(TEAM)).toEqual([])
    expect(await team.publishedFields()).toEqual([])
    const { released, rotation } = await team.record()
    expect([released?.policy, rotation]).toEqual(['Revoke', null])
  })
})
