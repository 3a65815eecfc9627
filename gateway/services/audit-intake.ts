import { createHash } from 'node:crypto'
import type { AuditDetails, AuditSubject } from '#api/audit-event'
import type { IngestAnswer, IngestEntry } from '#api/rest/audit-ingest'
import { canonicalJson } from '#core/canonical-json'
import { PalisadeError } from '#core/problem'
import { redactText } from '#core/redact'
import type { ReportedStep } from '../ports/audit-records.ts'
import type { Workload } from '../ports/callers.ts'
import type { Origin } from './audit.ts'
import { IntakeConflicts, type IntakeConflictsDeps } from './intake-conflicts.ts'

export interface AuditIntakeDeps extends IntakeConflictsDeps {
  /** Of this cluster alone an operator may tell: another's steps are another's to report. */
  readonly cluster: string
  readonly onTaken: (outcome: 'accepted' | 'repeated' | 'conflict', entries: number) => void
}

/**
 * Makes audit records of what the operator did. They belong to the platform's own tenant: a namespace is no tenant,
 * and the subject names it. The time of a record is this gateway's; the operator's is among the details.
 */
export class AuditIntake {
  readonly #deps: AuditIntakeDeps
  readonly #conflicts: IntakeConflicts

  constructor(deps: AuditIntakeDeps) {
    this.#deps = deps
    this.#conflicts = new IntakeConflicts(deps)
  }

  async take(
    who: Workload,
    origin: Origin,
    entries: readonly IngestEntry[],
  ): Promise<IngestAnswer> {
    entries.forEach((entry, place) => this.#refuseUnfit(entry, place))
    const steps = entries.map((entry) => this.#step(who, origin, entry))
    const outcome = await this.#deps.store.ingestAudit(who.id, steps)
    if (outcome.kind === 'conflict') return this.#refuseConflict(who, origin, entries, outcome)
    const fresh = steps.filter((_, place) => outcome.fresh[place])
    for (const { audit } of fresh) this.#deps.committed(audit)
    const answer = { accepted: fresh.length, repeated: steps.length - fresh.length }
    this.#deps.onTaken('accepted', answer.accepted)
    this.#deps.onTaken('repeated', answer.repeated)
    return answer
  }

  #refuseUnfit({ resource, type, details = {} }: IngestEntry, place: number): void {
    if (resource.cluster !== this.#deps.cluster) {
      throw new PalisadeError('ERR_FORBIDDEN', `entries[${place}] is of another cluster`, {
        remedy: 'give operator and gateway of one cluster the same cluster id',
      })
    }
    const kind = type.startsWith('grant.') ? 'McpGrant' : 'SecretRotation'
    if (resource.kind !== kind) {
      throw new PalisadeError('ERR_VALIDATION', `entries[${place}]: ${type} is of a ${kind}`)
    }
    for (const [name, value] of Object.entries(details)) {
      if (typeof value === 'string' && redactText(value) !== value) {
        const what = `entries[${place}].details.${name} has the form of a secret`
        throw new PalisadeError('ERR_VALIDATION', what)
      }
    }
  }

  #step(who: Workload, origin: Origin, entry: IngestEntry): ReportedStep {
    const { resource, rotationId, seq, type, outcome, at, code, details } = entry
    const audit = this.#deps.audit.ofWorkload(who, origin, {
      eventType: type,
      outcome,
      subject: subjectOf(entry),
      ...(code === undefined ? {} : { code }),
      // Names that no entry can tell: the rotation among its details may be another one.
      details: { ...(details as AuditDetails), at, entryRotation: rotationId, entrySeq: seq },
    })
    const digest = digestOf(entry)
    return { resource: resource.uid, rotationId, seq, type, digest, audit }
  }

  /** The first telling stands. That there was a second one is recorded, too. */
  async #refuseConflict(
    who: Workload,
    origin: Origin,
    entries: readonly IngestEntry[],
    { places }: { readonly places: readonly number[] },
  ): Promise<never> {
    this.#deps.onTaken('conflict', places.length)
    const wrong = places.map((place) => entries[place]).filter((entry) => entry !== undefined)
    const conflicts = wrong.map((entry) => ({
      entry,
      subject: subjectOf(entry),
      digest: digestOf(entry),
    }))
    await this.#conflicts.record(who, origin, conflicts)
    const names = wrong.map(({ rotationId, seq, type }) => `(${rotationId}, ${seq}, ${type})`)
    throw new PalisadeError('ERR_AUDIT_CONFLICT', `recorded otherwise before: ${names.join(', ')}`)
  }
}

const digestOf = (entry: IngestEntry): Buffer =>
  createHash('sha256').update(canonicalJson(entry)).digest()

function subjectOf({ resource }: IngestEntry): AuditSubject {
  const { kind, cluster, namespace, name, uid } = resource
  return {
    kind: kind === 'McpGrant' ? 'grant' : 'rotation',
    id: [cluster, namespace, name, uid].join('/'),
  }
}
