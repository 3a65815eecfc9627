import { Type, type Static } from 'typebox'

/**
 * Proofs that go out of the house. They come back from somebody who wants them believed, so their shape is closed and
 * every part of it bounded.
 */

const closed = { additionalProperties: false } as const
const base64 = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', maxLength: 65_536, description })
const path = (description: string) =>
  Type.Array(Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' }), { maxItems: 64, description })
const note = (description: string) => Type.String({ maxLength: 8_192, description })
const count = (description: string) =>
  Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description })
const tenant = (description: string) => Type.String({ minLength: 1, maxLength: 64, description })

export const ProvenRecord = Type.Object(
  {
    place: Type.Object(
      {
        epoch: count('Epoch of the log.'),
        seq: count('Number in the epoch.'),
        tenant: tenant('Whose it is.'),
        tenantSeq: count("Number among the tenant's records of the epoch."),
      },
      { ...closed, description: 'Where it stands.' },
    ),
    record: base64('The bytes that were committed, base64.'),
    inclusion: path('From the leaf of the record to the root of the log.'),
    numbering: path('From the leaf of the place to the root of the numbering.'),
  },
  { ...closed, description: 'One record with all that shows its place.' },
)
export type ProvenRecord = Static<typeof ProvenRecord>

const handOvers = Type.Optional(
  Type.Array(note('A signed note.'), {
    minItems: 1,
    maxItems: 1_000,
    description:
      'Checkpoints with which a key handed over to the next one: whoever has an older key learns the newer from them.',
  }),
)

export const RecordsProof = Type.Object(
  {
    type: Type.Literal('palisade-audit-records'),
    format: Type.Literal(1),
    allOf: Type.Optional(tenant('Claimed: these are all records of this tenant.')),
    checkpoints: Type.Array(note('A signed note.'), {
      minItems: 1,
      maxItems: 1_000,
      description: 'The newest checkpoint of each epoch that has a record here.',
    }),
    handOvers,
    records: Type.Array(ProvenRecord, { description: 'In order of their places.' }),
  },
  { ...closed, description: 'Records, for somebody who may see these and no others.' },
)
export type RecordsProof = Static<typeof RecordsProof>

export const HistoryProof = Type.Object(
  {
    type: Type.Literal('palisade-audit-history'),
    format: Type.Literal(1),
    older: note('The checkpoint that somebody kept.'),
    newer: note('The newest checkpoint of the same epoch.'),
    handOvers,
    consistency: path('RFC 6962 2.1.2: from the older tree to the newer.'),
  },
  { ...closed, description: 'That the newer log begins with the older one.' },
)
export type HistoryProof = Static<typeof HistoryProof>

export const AuditProof = Type.Union([RecordsProof, HistoryProof])
export type AuditProof = Static<typeof AuditProof>
