import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type pg from 'pg'
import { collect, type LogLine } from '../../core/audit/export.ts'
import { parseVerifier, verifierText } from '../../core/audit/note.ts'
import { verifyLog, type Verification } from '../../core/audit/verify.ts'
import { systemClock } from '../../core/clock.ts'
import { loadFileKeys } from '../../gateway/embedded/file-keys.ts'
import { issueAccessToken } from '../../gateway/identity/access-token.ts'
import { loadOrMakeKeyFile } from '../../gateway/keys/key-file.ts'
import type { PlatformKeys } from '../../gateway/keys/platform-keys.ts'
import { exportLog } from '../../gateway/store/audit-export.ts'
import { PostgresStore } from '../../gateway/store/postgres-store.ts'
import { baoAccounts } from './bao-accounts.ts'
import { freePorts, until } from './child.ts'
import { keyDirectory, TEST_NAMES, type Person } from './gateway.ts'
import { Mortal } from './mortal.ts'
import { noteSigner } from './note-signer.ts'
import type { TestOpenBao } from './openbao.ts'
import {
  startPalisadeDatabase,
  withClient,
  type PalisadeDatabase,
  type TestPostgresOptions,
} from './postgres.ts'
import type { ReplicaWorld } from './replica-process.ts'
import type { SealerWorld } from './sealer-process.ts'
import { witnessLines } from './witness-log.ts'

export interface AuditWorldWish {
  readonly replicas: number
  readonly sealers: number
  /** The way that gateways and sealers take to the database; straight to it when nothing is said. */
  readonly through?: (
    db: PalisadeDatabase,
  ) => Promise<{ readonly host: string; readonly port: number }>
  readonly database?: TestPostgresOptions
  /** What gateways are told of the room of the database's volume. */
  readonly capacityBytes?: number
  /** Wraps data keys and signs checkpoints; files on this machine do when nothing is said. */
  readonly store?: TestOpenBao
  /** Settings of a sealer's connections. */
  readonly sealerSession?: pg.ClientConfig
}

/** What a record says of the action that it is about. */
export interface RecordedAction {
  readonly eventType: string
  readonly outcome: string
  readonly name: string
  readonly version: number | undefined
}

const LOG = 'palisade.dev/audit/faults'

/** Gateways and sealers as processes of their own on one real database; whoever is killed is started again. */
export class AuditWorld {
  readonly db: PalisadeDatabase
  readonly keys: PlatformKeys
  readonly replicas: readonly Mortal[]
  readonly sealers: readonly Mortal[]
  readonly #directory: Awaited<ReturnType<typeof keyDirectory>>
  readonly #publicKey: Uint8Array

  private constructor(
    db: PalisadeDatabase,
    keys: PlatformKeys,
    directory: Awaited<ReturnType<typeof keyDirectory>>,
    processes: {
      readonly replicas: readonly Mortal[]
      readonly sealers: readonly Mortal[]
      readonly publicKey: Uint8Array
    },
  ) {
    this.db = db
    this.keys = keys
    this.#directory = directory
    this.replicas = processes.replicas
    this.sealers = processes.sealers
    this.#publicKey = processes.publicKey
  }

  static async start(wish: AuditWorldWish): Promise<AuditWorld> {
    const [db, directory] = await Promise.all([
      startPalisadeDatabase(wish.database),
      keyDirectory(),
    ])
    // Made before there are replicas, which would each make their own.
    const root = await loadOrMakeKeyFile(join(directory.path, 'key'))
    const keys = await loadFileKeys(directory.path, root, systemClock)
    const way = (await wish.through?.(db)) ?? { host: db.host, port: db.port }
    const { signer, pem } = noteSigner(LOG)
    const accounts =
      wish.store && (await baoAccounts(wish.store, directory.path, ['gateway', 'sealer']))
    const ports = await freePorts(wish.replicas + wish.sealers)
    const log = (name: string) => join(directory.path, `${name}.log`)
    const replicas = ports.slice(0, wish.replicas).map((port, i) => {
      const app = { ...db.app, ...way }
      const replica: ReplicaWorld = {
        ...{ app, directory: directory.path, port },
        ...(accounts ? { vault: accounts.gateway } : {}),
        ...(wish.capacityBytes === undefined ? {} : { capacityBytes: wish.capacityBytes }),
      }
      const env = { REPLICA_WORLD: JSON.stringify(replica) }
      return new Mortal({ program: 'replica-process.ts', env, logPath: log(`gateway-${i}`), port })
    })
    const sealers = ports.slice(wish.replicas).map((port, i) => {
      const sealer: SealerWorld = {
        database: { ...db.sealer, ...way, ...wish.sealerSession },
        log: LOG,
        key: pem,
        // Each its own place: two processes do not share a file.
        checkpointFile: join(directory.path, `checkpoint-${i}`),
        port,
        ...(accounts ? { store: accounts.sealer } : {}),
      }
      const env = { SEALER_WORLD: JSON.stringify(sealer) }
      return new Mortal({ program: 'sealer-process.ts', env, logPath: log(`sealer-${i}`), port })
    })
    const publicKey = wish.store ? await transitKey(wish.store) : signer.publicKey
    const world = new AuditWorld(db, keys, directory, { replicas, sealers, publicKey })
    try {
      for (const each of world.processes) each.start()
      await Promise.all(world.processes.map((each) => each.serving()))
      return world
    } catch (error) {
      await world.stop()
      throw error
    }
  }

  get processes(): readonly Mortal[] {
    return [...this.replicas, ...this.sealers]
  }

  /** So many users of one tenant. */
  async people(count: number, tenantId: string = randomUUID()): Promise<Person[]> {
    const store = new PostgresStore({ ...this.db.app, max: 1 })
    const people = Array.from({ length: count }, () => ({ id: randomUUID(), tenantId }))
    for (const { id: userId } of people) await store.ensureUser({ userId, tenantId })
    await store.close()
    return people
  }

  token({ id: userId, tenantId }: Person): Promise<string> {
    const subject = { userId, tenantId, role: 'user', tokenVersion: 0 } as const
    return issueAccessToken(subject, this.keys.signing, TEST_NAMES, systemClock)
  }

  /** Until every committed record has its place in the log. */
  async sealed(limitMs = 30_000, db: Pick<PalisadeDatabase, 'query'> = this.db): Promise<void> {
    await until('an empty queue of the sealer', limitMs, async () => {
      const [row] = await db.query<{ left: string }>(
        'select count(*) as left from palisade.audit_pending',
      )
      return row?.left === '0'
    })
  }

  /** With all that is known outside of the database: each line of a replica, each checkpoint ever published. */
  async verify(auditor = this.db.auditor): Promise<Verification> {
    const lines: LogLine[] = []
    await withClient(auditor, async (client) => {
      for await (const line of exportLog(client, new Date())) lines.push(line)
    })
    const logs = await Promise.all(this.replicas.map((each) => each.log()))
    return verifyLog(collect(lines), {
      verifiers: [parseVerifier(verifierText(LOG, this.#publicKey))],
      checkpoints: await this.#published(),
      witness: logs.flatMap(witnessLines),
      macKeys: new Map(this.keys.auditMac.map(({ id, key }) => [id, key.reveal()])),
    })
  }

  async recorded(db: Pick<PalisadeDatabase, 'query'> = this.db): Promise<RecordedAction[]> {
    const rows = await db.query<{ text: string }>(
      `select convert_from(record, 'UTF8') as text from palisade.secret_audit_logs`,
    )
    return rows.map(({ text }) => {
      const { eventType, outcome, details, subject } = JSON.parse(text) as {
        eventType: string
        outcome: string
        details?: { name?: string }
        subject?: { version?: number }
      }
      return { eventType, outcome, name: details?.name ?? '', version: subject?.version }
    })
  }

  async deadlocks(): Promise<number> {
    const [row] = await this.db.query<{ deadlocks: string }>(
      `select deadlocks from pg_stat_database where datname = 'palisade'`,
    )
    return Number(row?.deadlocks)
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((each) => each.stop()))
    await Promise.all([this.db.stop(), this.#directory.remove()])
  }

  async #published(): Promise<string[]> {
    const logs = await Promise.all(this.sealers.map((each) => each.log()))
    return logs.flatMap((text) =>
      text
        .split('\n')
        .filter((line) => line.includes('"msg":"Published checkpoint"'))
        .map((line) => (JSON.parse(line) as { checkpoint: string }).checkpoint),
    )
  }
}

/** What the key in the store signs with, which never leaves it. */
async function transitKey(store: TestOpenBao): Promise<Buffer> {
  const { body } = await store.ask('GET', 'transit/keys/audit-checkpoint')
  const { latest_version: version, keys } = body['data'] as {
    latest_version: number
    keys: Record<string, { public_key: string }>
  }
  return Buffer.from(keys[version]?.public_key ?? '', 'base64')
}
