import { readFile } from 'node:fs/promises'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { ROLES } from '#api/rest/auth'
import { PalisadeError } from '#core/problem'

const Uuid = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' })
const closed = { additionalProperties: false }

export const DevelopmentUser = Type.Object(
  {
    id: Uuid,
    tenantId: Uuid,
    email: Type.String({ minLength: 3, maxLength: 254, pattern: '^[^\\s@]+@[^\\s@]+$' }),
    role: Type.Unsafe<(typeof ROLES)[number]>({ type: 'string', enum: [...ROLES] }),
    /** argon2id in PHC form. */
    passwordHash: Type.String({ pattern: '^\\$argon2id\\$' }),
  },
  closed,
)
export type DevelopmentUser = Static<typeof DevelopmentUser>

const DevelopmentUsers = Type.Array(DevelopmentUser, { minItems: 1, maxItems: 1000 })

/** Users of profile dev, from a file `[{id, tenantId, email, role, passwordHash}]`. */
export async function readDevelopmentUsers(path: string): Promise<readonly DevelopmentUser[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PalisadeError('ERR_CONFIG_INVALID', `${path} cannot be read`, { cause })
  })
  return parseDevelopmentUsers(text, path)
}

export function parseDevelopmentUsers(text: string, where: string): readonly DevelopmentUser[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new PalisadeError('ERR_CONFIG_INVALID', `${where} is no JSON`)
  }
  if (Value.Check(DevelopmentUsers, value)) return value
  const [first] = Value.Errors(DevelopmentUsers, value)
  const at = first?.instancePath ?? ''
  throw new PalisadeError('ERR_CONFIG_INVALID', `${where}${at}: ${first?.message ?? 'unusable'}`)
}
