import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { PalisadeError } from '#core/problem'
import { STEPS, type StateRecord } from '../secret-rotation/state.ts'

const Text = Type.String()
const Whole = Type.Integer({ minimum: 0 })
const orNull = (schema: Parameters<typeof Type.Optional>[0]) => Type.Union([schema, Type.Null()])

const Issued = Type.Object({
  version: Whole,
  role: Text,
  rotationId: Text,
  storeVersion: Whole,
  issuedAt: Text,
})
const InFlight = Type.Object({
  id: Text,
  version: Whole,
  role: Text,
  reason: Text,
  step: Type.Union(STEPS.map((step) => Type.Literal(step))),
  startedAt: Text,
  pending: Type.Optional(Text),
  restarts: Type.Optional(Type.Record(Text, Text)),
})

/** What a pass relies on. Fields that it does not know are left alone: a newer operator may have written them. */
const Shape = Type.Object({
  format: Type.Literal(1),
  owner: Type.Object({ cluster: Text, namespace: Text, name: Text, uid: Text }),
  seq: Whole,
  fences: Type.Record(Text, Whole),
  claim: Type.Object({
    backend: Text,
    roles: Type.Tuple([Text, Text]),
    memberOf: Text,
    database: Text,
    storePath: Text,
    secretName: Text,
  }),
  rotation: orNull(InFlight),
  current: orNull(Issued),
  previous: orNull(Issued),
  secretSeq: Whole,
  outbox: Type.Array(Type.Object({ action: Text, rotationId: Text, seq: Whole, at: Text })),
})

/** The first records stood there field by field and without fences; a role that was never used stands at 0. */
export function decodeRecord(stored: Readonly<Record<string, unknown>>, path: string): StateRecord {
  const { record } = stored
  const found = typeof record === 'string' ? parsed(record) : stored
  const fields = typeof found === 'object' && found !== null ? { fences: {}, ...found } : found
  if (Value.Check(Shape, fields)) return fields as unknown as StateRecord
  // Where it fails is named, what stands there is not: it may be a password that nobody has published yet.
  const [first] = Value.Errors(Shape, fields)
  throw unusableRecord(path, `cannot be read: ${first?.instancePath || '/'} is not as it should be`)
}

export const unusableRecord = (path: string, what: string): PalisadeError =>
  new PalisadeError('ERR_STORE_REFUSED', `the record palisade-state/${path} ${what}`, {
    remedy:
      'restore the store from a copy of its volumes; no account may bring back a deleted version, and earlier ones are not kept',
  })

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
