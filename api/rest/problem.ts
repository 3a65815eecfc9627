import { Type, type Static } from 'typebox'

/** RFC 9457, with the code of the catalogue and the way out. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'URI of the page that explains this error.' }),
    title: Type.String({ description: 'The same text for every occurrence of the code.' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'HTTP status of the answer.' }),
    detail: Type.String({ description: 'What happened here; never a secret value.' }),
    code: Type.String({ pattern: '^ERR_[A-Z0-9_]+$', description: 'Code of the error catalogue.' }),
    remedy: Type.String({ description: 'What to do next.' }),
    instance: Type.Optional(
      Type.String({ description: 'Id of the request, to be found again in logs and audit.' }),
    ),
  },
  { $id: 'Problem', additionalProperties: false, description: 'An error answer (RFC 9457).' },
)
export type Problem = Static<typeof Problem>
