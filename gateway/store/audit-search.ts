import type { AuditReach, AuditWish, FoundPage } from '../ports/audit-search.ts'
import type { Caller } from '../ports/callers.ts'
import { callerValues } from './rows.ts'

export interface FoundDatabaseRow {
  readonly id: string
  readonly tenant_id: string
  /** null: the mark where the looking ended. */
  readonly record: Buffer | null
  readonly epoch: number | null
  readonly seq: string | null
  readonly tenant_seq: string | null
}

export const searchValues = (caller: Caller, wish: AuditWish) => [
  ...callerValues(caller),
  wish.everywhere,
  wish.tenant,
  wish.actor,
  wish.subject,
  wish.request,
  wish.eventTypes,
  wish.outcomes,
  wish.after,
  wish.before,
  wish.oldestFirst,
  wish.page,
  wish.scan,
]

export function toFoundPage(rows: readonly FoundDatabaseRow[]): FoundPage {
  return {
    rows: rows.flatMap(({ id, tenant_id, record, epoch, seq, tenant_seq }) =>
      record === null
        ? []
        : [
            {
              id,
              tenantId: tenant_id,
              bytes: record,
              place:
                epoch === null ? null : { epoch, seq: Number(seq), tenantSeq: Number(tenant_seq) },
            },
          ],
    ),
    end: rows.find(({ record }) => record === null)?.id,
  }
}

export interface ReachRow {
  readonly is_auditor: boolean
  /** null, like the other two: nothing was cut. */
  readonly cut_epoch: number | null
  readonly cut_seq: string | null
  readonly cut_sealed_at: Date | null
}

export function toReach({ is_auditor, cut_epoch, cut_seq, cut_sealed_at }: ReachRow): AuditReach {
  const cutThrough =
    cut_epoch === null || cut_sealed_at === null
      ? undefined
      : { epoch: cut_epoch, seq: Number(cut_seq), sealedAt: cut_sealed_at.toISOString() }
  return { isAuditor: is_auditor, cutThrough }
}
