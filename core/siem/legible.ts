import { Type } from 'typebox'
import Compile from 'typebox/compile'
import { AuditDetails, AuditEvent } from '#api/audit-event'

const text = Type.String()
const { time, outcome } = AuditEvent.properties

/**
 * As far as it takes to make a line or an event of a record; the verifier judges the rest. Types of event, kinds and
 * members that a newer program knows are no damage.
 */
const Legible = Compile(
  Type.Object({
    format: Type.Integer({ minimum: 1 }),
    ...{ id: text, tenant: text, eventType: text, writer: text, macKey: text },
    ...{ time, outcome },
    code: Type.Optional(text),
    actor: Type.Object({ kind: text, id: text, session: Type.Optional(text) }),
    subject: Type.Object({ kind: text, id: text, version: Type.Optional(Type.Integer()) }),
    request: Type.Object({ id: text, method: Type.Optional(text), route: Type.Optional(text) }),
    details: Type.Optional(AuditDetails),
    personal: Type.Optional(
      Type.Array(Type.Object({ key: text, fields: Type.Array(text) }), { minItems: 1 }),
    ),
  }),
)

/** Deeper than any record goes: what writes JSON would run out of stack on it. */
const DEEPEST = 16

export const isLegible = (value: unknown): value is AuditEvent =>
  Legible.Check(value) && !Number.isNaN(Date.parse(value.time)) && isShallow(value, DEEPEST)

const isShallow = (value: unknown, left: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (left > 0 && Object.values(value).every((one) => isShallow(one, left - 1)))
