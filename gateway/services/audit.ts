import {
  AUDIT_FORMAT,
  PLATFORM_TENANT,
  type AuditDetails,
  type AuditEvent,
  type AuditSubject,
  type GatewayEventType,
  type OperatorEventType,
} from '#api/audit-event'
import type { ErrorCode } from '#api/error-codes'
import { signRecord } from '#core/audit/record'
import type { Clock } from '#core/clock'
import { PalisadeError } from '#core/problem'
import { momentOf, uuidV7 } from '#core/uuid'
import type { AuditRow } from '../ports/audit-records.ts'
import type { Caller, Workload } from '../ports/callers.ts'
import type { PersonalFields } from './personal-fields.ts'
import type { MacKey } from './secret-heads.ts'

/** What is known of the request; address and agent appear in a record as ciphertext only. */
export interface Origin {
  readonly requestId: string
  readonly method: string
  /** Pattern of the route; undefined when none was found. */
  readonly route: string | undefined
  readonly address: string
  readonly userAgent: string
}

export interface Happening {
  readonly eventType: GatewayEventType
  readonly outcome: AuditEvent['outcome']
  readonly subject: AuditSubject
  readonly code?: ErrorCode
  readonly details?: AuditDetails
}

/** As another program of the platform tells it; its codes may be newer than ours. */
export interface Reported extends Omit<Happening, 'eventType' | 'code'> {
  readonly eventType: OperatorEventType | GatewayEventType
  readonly code?: string
}

export interface AuditWriterDeps {
  readonly clock: Clock
  /** The last one signs. */
  readonly macKeys: readonly MacKey[]
  readonly personal: PersonalFields
  /** Name of this process in the log: a pod, or "embedded". */
  readonly writer: string
}

type Body = Omit<AuditEvent, 'format' | 'id' | 'time' | 'tenant' | 'writer' | 'macKey'>

/** The last one signs, the others verify. */
export function signingKeyOf(macKeys: readonly MacKey[]): MacKey {
  const mac = macKeys.at(-1)
  if (mac) return mac
  throw new PalisadeError('ERR_CONFIG_INVALID', 'there is no key for audit records')
}

/** Makes records and authenticates them before anything is committed; the store only carries them. */
export class AuditWriter {
  readonly #deps: AuditWriterDeps
  readonly #mac: MacKey

  constructor(deps: AuditWriterDeps) {
    this.#deps = deps
    this.#mac = signingKeyOf(deps.macKeys)
  }

  async ofCaller(caller: Caller, origin: Origin, happening: Happening): Promise<AuditRow> {
    const id = uuidV7(this.#deps.clock)
    const { address, userAgent } = origin
    const fields = userAgent === '' ? { address } : { address, userAgent }
    return this.#row(id, caller.tenantId, {
      ...happening,
      actor: { kind: 'user', id: caller.userId, session: caller.tokenId },
      request: {
        id: origin.requestId,
        method: origin.method,
        ...(origin.route === undefined ? {} : { route: origin.route }),
      },
      personal: [await this.#deps.personal.seal(`user-${caller.userId}`, id, fields)],
    })
  }

  /** By a program of the platform: no person, so nothing of it is personal. */
  ofWorkload({ kind, id: account }: Workload, origin: Origin, happening: Reported): AuditRow {
    const { requestId, method, route } = origin
    return this.#row(uuidV7(this.#deps.clock), PLATFORM_TENANT, {
      ...happening,
      actor: { kind, id: account },
      request: { id: requestId, method, ...(route === undefined ? {} : { route }) },
    })
  }

  /**
   * By a login of the database. It is no user of ours, so where it came from lies under the platform's key.
   * @param address null over the server's own socket
   */
  async ofLogin(
    { login, address, request }: { login: string; address: string | null; request: string },
    happening: Happening,
  ): Promise<AuditRow> {
    const id = uuidV7(this.#deps.clock)
    const key = `tenant-${PLATFORM_TENANT}` as const
    return this.#row(id, PLATFORM_TENANT, {
      ...happening,
      actor: { kind: 'administrator', id: login },
      request: { id: request },
      ...(address === null
        ? {}
        : { personal: [await this.#deps.personal.seal(key, id, { address })] }),
    })
  }

  /** What concerns nobody in particular; the id of the record stands for the request it does not have. */
  ofPlatform(happening: Happening): AuditRow {
    const id = uuidV7(this.#deps.clock)
    const actor = { kind: 'anonymous', id: 'many' } as const
    return this.#row(id, PLATFORM_TENANT, { ...happening, actor, request: { id } })
  }

  #row(id: string, tenant: string, body: Body): AuditRow {
    const { writer } = this.#deps
    const record: AuditEvent = {
      format: AUDIT_FORMAT,
      id,
      // The same moment as in the id, so that a search by time, which goes by the id, finds it.
      time: momentOf(id).toISOString(),
      tenant,
      writer,
      macKey: this.#mac.id,
      ...body,
    }
    const signed = signRecord(record, { id: this.#mac.id, secret: this.#mac.key.reveal() })
    return { id, formatVersion: AUDIT_FORMAT, tenantId: tenant, writer, ...signed }
  }
}
