import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Clock } from '#core/clock'
import { buildApp, type AppSettings } from './app.ts'
import type { TokenAudience } from './identity/access-token.ts'
import type { DevelopmentUser } from './identity/development-users.ts'
import { PasswordChecks } from './identity/password-checks.ts'
import { TokenVerifier } from './identity/verify-token.ts'
import type { PlatformKeys } from './keys/platform-keys.ts'
import type { Limiter } from './limits/limiter.ts'
import { buildInternal } from './internal/app.ts'
import type { RecognitionDeps } from './internal/recognise.ts'
import type { AuditVolume } from './observe/audit-volume.ts'
import type { GatewayMetrics } from './observe/metrics.ts'
import { ReadingRecords } from './observe/reading-records.ts'
import { Refusals } from './observe/refusals.ts'
import { witness } from './observe/witness.ts'
import type { IntakeStore, SealStore } from './ports/audit-records.ts'
import type { AuditReadStore } from './ports/audit-search.ts'
import type { KeyWrapper } from './ports/key-wrapper.ts'
import type { ReadingStore } from './ports/noted-readings.ts'
import type { RefusalStore } from './ports/refusals.ts'
import type { Store } from './ports/store.ts'
import type { Profile } from './profile.ts'
import { auditRoutes } from './routes/audit.ts'
import { developmentLoginRoutes } from './routes/development-login.ts'
import { secretRoutes } from './routes/secrets.ts'
import { wellKnownRoutes } from './routes/well-known.ts'
import { AuditWriter, signingKeyOf } from './services/audit.ts'
import { AuditSearch } from './services/audit-search.ts'
import { AuditIntake } from './services/audit-intake.ts'
import { DataKeys } from './services/data-keys.ts'
import { DevelopmentLogin } from './services/development-login.ts'
import { PersonalReader } from './services/personal-reader.ts'
import { PersonalFields } from './services/personal-fields.ts'
import { SecretHeads } from './services/secret-heads.ts'
import { Secrets } from './services/secrets.ts'

export interface GatewayParts {
  readonly profile: Profile
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  readonly store: Store & IntakeStore & RefusalStore & ReadingStore & SealStore & AuditReadStore
  readonly wrapper: KeyWrapper
  readonly limiter: Limiter
  readonly metrics: GatewayMetrics
  readonly keys: PlatformKeys
  readonly names: TokenAudience
  readonly writer: string
  readonly settings: AppSettings
  /** How full the audit log's volume is; without it nothing is refused for want of room. */
  readonly volume?: AuditVolume
  /** How workloads are recognised, in a cluster; without it there is no internal listener. */
  readonly workloads?: Omit<RecognitionDeps, 'metrics'>
  /** Given in profile dev only; elsewhere the route does not exist. */
  readonly developmentUsers?: readonly DevelopmentUser[]
}

export interface Gateway {
  readonly app: FastifyInstance
  readonly internal: FastifyInstance | undefined
  readonly refusals: Refusals
  readonly readings: ReadingRecords
  readonly verifier: TokenVerifier
}

/** Puts the parts together; used by the server in a cluster, by the embedded mode and by tests alike. */
export function assembleGateway(parts: GatewayParts): Gateway {
  const { clock, log, store, keys, names, metrics, limiter } = parts
  const committed = witness(log)
  const personal = new PersonalFields(parts.wrapper, clock)
  const audit = new AuditWriter({ clock, macKeys: keys.auditMac, personal, writer: parts.writer })
  const { writer } = parts
  const key = signingKeyOf(keys.auditMac)
  const { volume } = parts
  const obstacles = volume ? [() => volume.obstacle()] : []
  const refusals = new Refusals({
    ...{ clock, log, audit, store, key, writer, metrics, committed },
    room: volume,
  })
  const readings = new ReadingRecords({
    ...{ log, audit, store, committed },
    onFailure: () => metrics.auditFailures.inc(),
  })
  const dataKeys = new DataKeys(parts.wrapper, {
    clock,
    onUnwrap: (source) => metrics.unwraps.inc({ source }),
  })
  const heads = new SecretHeads(keys.headMac)
  const secrets = new Secrets({ store, audit, keys: dataKeys, heads, committed })
  const verifier = new TokenVerifier(keys.signing, names, clock)
  const reader = new PersonalReader(parts.wrapper)
  const search = new AuditSearch({ store, audit, clock, personal: reader, committed })
  const routes = [wellKnownRoutes(keys.signing), secretRoutes(secrets), auditRoutes(search)]
  if (parts.developmentUsers) {
    const onLogin = (status: string) => metrics.logins.inc({ status, provider: 'local' })
    const users = parts.developmentUsers
    const passwords = new PasswordChecks({ onRefused: () => metrics.passwordsRefused.inc() })
    const service = new DevelopmentLogin({
      ...{ users, store, audit, keys: keys.signing, names, clock, passwords, committed, onLogin },
    })
    routes.push(developmentLoginRoutes(service, parts.profile))
  }
  const app = buildApp({
    logger: log,
    verifier,
    limiter,
    metrics,
    refusals,
    seals: store,
    settings: parts.settings,
    obstacles,
    routes,
  })
  const { workloads } = parts
  const internal =
    workloads &&
    buildInternal({
      ...workloads,
      logger: log,
      metrics,
      refusals,
      obstacles,
      intake: new AuditIntake({
        store,
        audit,
        cluster: workloads.cluster,
        committed,
        onTaken: (outcome, entries) => metrics.intake.inc({ outcome }, entries),
        onSurplus: (source) =>
          refusals.surplus({ reason: 'ERR_AUDIT_CONFLICT', route: '/audit/ingest', source }),
      }),
      ...(parts.settings.tls ? { tls: parts.settings.tls } : {}),
    })
  return { app, internal, refusals, readings, verifier }
}
