import { Type, type Static } from 'typebox'

export const Health = Type.Object(
  {
    ok: Type.Boolean({ description: 'Whether requests are served.' }),
    checks: Type.Array(
      Type.Object(
        {
          name: Type.String({ description: 'What was checked.' }),
          ok: Type.Boolean({ description: 'Whether it answers.' }),
          reason: Type.String({ description: 'Why not; empty when it does.' }),
        },
        { additionalProperties: false },
      ),
      { description: 'What the answer rests on.' },
    ),
  },
  { additionalProperties: false, $id: 'Health', description: 'Answer of /readyz.' },
)
export type Health = Static<typeof Health>
